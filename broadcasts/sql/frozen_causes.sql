-- Those who are written down and have no row yet, by what they failed with last and by
-- the way that took: a probe for each, and one more for what later runs came to.
SELECT coalesce(later.error_code, source.error_code) AS cause_code,
       source.channel,
       source.integration_id,
       count(*) AS number
FROM broadcasts_frozenmembers AS frozen
CROSS JOIN LATERAL unnest(frozen.message_ids) AS chosen (id)
CROSS JOIN LATERAL (
    SELECT id, root_id, error_code, channel, integration_id
    FROM messaging_message
    WHERE id = chosen.id
    LIMIT 1
) AS source
LEFT JOIN LATERAL (
    SELECT error_code
    FROM messaging_message
    WHERE root_id = coalesce(source.root_id, source.id)
      AND broadcast_id IS NOT NULL
      AND state IN ('failed', 'unknown')
      AND id > source.id
    ORDER BY id DESC
    LIMIT 1
) AS later ON true
WHERE frozen.broadcast_id = %(broadcast_id)s
GROUP BY 1, 2, 3
