-- The messages of these attempts, if any of them is a later one of its chain.
SELECT array_agg(message.id) AS message_ids
FROM messaging_attempt AS attempt
CROSS JOIN LATERAL (
    SELECT id, root_id
    FROM messaging_message
    WHERE id = attempt.message_id
    LIMIT 1
) AS message
WHERE attempt.id = ANY (%(attempt_ids)b::bigint[])
HAVING bool_or(message.root_id IS NOT NULL)
