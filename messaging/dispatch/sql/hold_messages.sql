SELECT id
FROM messaging_message
WHERE id = ANY (%(message_ids)s)
ORDER BY id
FOR UPDATE
