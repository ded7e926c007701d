-- What bulk resends brought against a fresh count of their attempts.
WITH both_sides AS (
    SELECT bulk_id, integration_id, cause_code, state, 0 AS tallied, 1 AS counted
    FROM messaging_attempt
    WHERE bulk_id IS NOT NULL
      AND state <> 'open'
      AND messaging_is_try(error_code)
    UNION ALL
    SELECT bulk_id, integration_id, cause_code, state, count - pruned, 0
    FROM messaging_bulkresendoutcome
)
SELECT bulk_id, integration_id, cause_code, state,
       sum(tallied)::bigint AS tallied, sum(counted)::bigint AS counted
FROM both_sides
GROUP BY 1, 2, 3, 4
HAVING sum(tallied) <> sum(counted)
ORDER BY 1, 2, 3, 4
