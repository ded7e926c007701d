-- The newest rows of each broadcast that stand in one of these states: a probe of the
-- index for each, and the newest of what they find.
SELECT wanted.id AS broadcast_id, page.id AS message_id
FROM unnest(%(broadcast_ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT found.id
    FROM unnest(%(values)s::text[]) AS tried (state)
    CROSS JOIN LATERAL (
        SELECT message.id
        FROM messaging_message AS message
        WHERE message.broadcast_id = wanted.id
          AND message.state = tried.state
          AND message.id < %(below)s
        ORDER BY message.id DESC
        LIMIT %(limit)s
    ) AS found
    ORDER BY found.id DESC
    LIMIT %(limit)s
) AS page
ORDER BY wanted.id, page.id DESC
