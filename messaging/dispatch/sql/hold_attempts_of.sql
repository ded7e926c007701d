-- Hold what was tried of a message until the commit.
SELECT id
FROM messaging_attempt
WHERE message_id = %(message_id)s
ORDER BY id
FOR UPDATE
