-- Of each spelling: when its first and its last kept row failed, and how many did
-- after the fix, up to a limit. A few probes of one index each.
SELECT asked.code,
       first.state_at,
       last.state_at,
       again.number
FROM unnest(%(codes)s::text[], %(fixed_at)s::timestamptz[]) AS asked (code, fixed_at)
LEFT JOIN LATERAL (
    SELECT state_at
    FROM messaging_message
    WHERE organization_id = %(organization_id)s
      AND state = 'failed'
      AND error_code = asked.code
    ORDER BY state_at
    LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT state_at
    FROM messaging_message
    WHERE organization_id = %(organization_id)s
      AND state = 'failed'
      AND error_code = asked.code
    ORDER BY state_at DESC
    LIMIT 1
) AS last ON true
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
