-- Of each spelling: how many failed after its fix, up to a limit, by one index.
SELECT asked.code,
       again.number
FROM unnest(%(codes)s::text[], %(fixed_at)s::timestamptz[]) AS asked (code, fixed_at)
CROSS JOIN LATERAL (
    SELECT count(*) AS number
    FROM (
        SELECT
        FROM messaging_message
        WHERE organization_id = %(organization_id)s
          AND state = 'failed'
          AND error_code = asked.code
          AND state_at > asked.fixed_at
        LIMIT %(limit)s
    ) AS since
) AS again
