-- Hold these attempts until the commit, before their messages, as everywhere.
SELECT id
FROM messaging_attempt
WHERE id = ANY (%(attempt_id)s::bigint[])
ORDER BY id
FOR UPDATE
