-- Hold these attempts until the commit, and then their messages, as everywhere.
WITH known AS MATERIALIZED (
    SELECT id, message_id
    FROM messaging_attempt
    WHERE id = ANY (%(attempt_id)s::bigint[])
    ORDER BY id
    FOR UPDATE
)
SELECT id
FROM messaging_message
WHERE id IN (SELECT message_id FROM known)
ORDER BY id
FOR UPDATE
