-- Recoveries against a fresh count of the messages that arrived after a failure.
WITH both_sides AS (
    SELECT organization_id, broadcast_id, day, channel, integration_id,
           recovered_by AS resend_number,
           messaging_recovery_bucket(recovered_in) AS bucket,
           0 AS tallied, 0 AS tallied_credits,
           1 AS counted, recovered_for::bigint AS counted_credits
    FROM messaging_message
    WHERE recovered_by IS NOT NULL
    UNION ALL
    SELECT organization_id, broadcast_id, day, channel, integration_id, resend_number,
           bucket, count - pruned, credits - pruned_credits, 0, 0
    FROM messaging_recovery
)
SELECT organization_id, broadcast_id, day, channel, integration_id, resend_number,
       bucket,
       sum(tallied)::bigint AS tallied, sum(counted)::bigint AS counted,
       sum(tallied_credits)::bigint AS tallied_credits,
       sum(counted_credits)::bigint AS counted_credits
FROM both_sides
GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING sum(tallied) <> sum(counted) OR sum(tallied_credits) <> sum(counted_credits)
ORDER BY 1, 2, 3, 4, 5, 6, 7
