-- Of each spelling: when its first and its last kept row failed. Two probes of one
-- index each.
SELECT asked.code,
       first.state_at,
       last.state_at
FROM unnest(%(codes)s::text[]) AS asked (code)
CROSS JOIN LATERAL (
    SELECT state_at
    FROM messaging_message
    WHERE organization_id = %(organization_id)s
      AND state = 'failed'
      AND error_code = asked.code
    ORDER BY state_at
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT state_at
    FROM messaging_message
    WHERE organization_id = %(organization_id)s
      AND state = 'failed'
      AND error_code = asked.code
    ORDER BY state_at DESC
    LIMIT 1
) AS last
