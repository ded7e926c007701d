-- What the messages of a claim say: once for all that say the same.
SELECT id, kind, payload::text AS payload
FROM messaging_content
WHERE id = ANY (%(content_ids)s)
