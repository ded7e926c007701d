-- How many messages stand at an outcome by the meters, against a count of the rows.
WITH both_sides AS (
    SELECT organization_id, series, channel, label, came - gone AS tallied,
           0 AS counted
    FROM messaging_meter
    WHERE series = 'message'
    UNION ALL
    SELECT organization_id, 'message', channel, state, 0, 1
    FROM messaging_message
    WHERE messaging_is_outcome(state)
)
SELECT organization_id, series, channel, label,
       sum(tallied)::bigint AS tallied, sum(counted)::bigint AS counted
FROM both_sides
GROUP BY 1, 2, 3, 4
HAVING sum(tallied) <> sum(counted)
ORDER BY 1, 2, 3, 4
