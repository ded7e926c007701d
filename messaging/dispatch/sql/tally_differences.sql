-- Tallies against a fresh count of the rows, in one snapshot.
WITH counted AS (
    SELECT organization_id, broadcast_id, 'message' AS unit, day, first_day, channel,
           integration_id, (attempt_count - given_back)::int AS attempt_number,
           state AS outcome, error_class,
           messaging_tally_code(state, reason, error_code) AS error_code,
           earlier_error AS cause_code, reached_before, count(*) AS count
    FROM messaging_message
    GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
    UNION ALL
    SELECT organization_id, broadcast_id, 'attempt', day, NULL, channel,
           integration_id, chain_offset + number, state, error_class, error_code,
           cause_code, false, count(*)
    FROM messaging_attempt
    WHERE state <> 'open'
    GROUP BY 1, 2, 4, 6, 7, 8, 9, 10, 11, 12
),
both_sides AS (
    SELECT organization_id, broadcast_id, unit, day, first_day, channel,
           integration_id, attempt_number, outcome, error_class, error_code,
           cause_code, reached_before, 0 AS tallied, count AS counted
    FROM counted
    UNION ALL
    SELECT organization_id, broadcast_id, unit, day, first_day, channel,
           integration_id, attempt_number::int, outcome, error_class, error_code,
           cause_code, reached_before, count - pruned, 0
    FROM messaging_tally
)
SELECT organization_id, broadcast_id, unit, day, first_day, channel, integration_id,
       attempt_number, outcome, error_class, error_code, cause_code, reached_before,
       sum(tallied)::bigint AS tallied, sum(counted)::bigint AS counted
FROM both_sides
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
HAVING sum(tallied) <> sum(counted)
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
