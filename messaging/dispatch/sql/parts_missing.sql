-- Parts that a provider took back: the next attempt has to send them again. Said
-- once or in any order, the same parts are missing in the end.
WITH missing AS (
    SELECT *
    FROM unnest(%(attempt_id)s::bigint[], %(parts)s::int[]) AS m (attempt_id, parts)
),
concerned AS MATERIALIZED (
    SELECT message.id, missing.parts
    FROM missing
    JOIN messaging_attempt AS attempt ON attempt.id = missing.attempt_id
    JOIN messaging_message AS message ON message.id = attempt.message_id
    WHERE attempt.number = message.attempt_count
      AND message.parts_sent & missing.parts <> 0
    ORDER BY message.id
    FOR UPDATE OF message
)
UPDATE messaging_message AS message
SET parts_sent = message.parts_sent & ~concerned.parts
FROM concerned
WHERE message.id = concerned.id
RETURNING message.id
