-- The newest failed rows of each broadcast with one of these causes, the same way.
SELECT wanted.id AS broadcast_id, page.id AS message_id
FROM unnest(%(broadcast_ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT found.id
    FROM unnest(%(values)s::text[]) AS tried (code)
    CROSS JOIN LATERAL (
        SELECT message.id
        FROM messaging_message AS message
        WHERE message.broadcast_id = wanted.id
          AND message.state = 'failed'
          AND message.error_code = tried.code
          AND message.id < %(below)s
        ORDER BY message.id DESC
        LIMIT %(limit)s
    ) AS found
    ORDER BY found.id DESC
    LIMIT %(limit)s
) AS page
ORDER BY wanted.id, page.id DESC
