-- The rows that have just been made of sources that were sent with other words than those
-- of their broadcast: each leaves out what arrived of the words that it sends itself.
UPDATE messaging_message AS made
SET parts_sent = own.parts
FROM (
    SELECT whose.broadcast_id, whose.contact_id, whose.content_id,
           coalesce(held.parts, 0) AS parts
    FROM (
        SELECT id AS message_id, contact_id, content_id,
               %(broadcast_id)s::bigint AS broadcast_id
        FROM messaging_message
        WHERE id = ANY (%(message_ids)s)
    ) AS whose
    CROSS JOIN LATERAL (
        {parts_held}
    ) AS held
) AS own
WHERE made.broadcast_id = own.broadcast_id
  AND made.contact_id = own.contact_id
  AND made.content_id = own.content_id
  AND made.parts_sent <> own.parts
