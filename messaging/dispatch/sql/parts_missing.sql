-- Parts that a provider took back: the next attempt has to send them again. Said
-- once or in any order, the same parts are missing in the end.
WITH missing AS (
    SELECT *
    FROM unnest(%(attempt_id)s::bigint[], %(parts)s::int[]) AS m (attempt_id, parts)
),
held AS MATERIALIZED (
    SELECT message.id, message.attempt_count,
           coalesce(message.amended_content_id, message.content_id) AS content_id
    FROM messaging_message AS message
    WHERE message.id IN (
        SELECT attempt.message_id
        FROM missing
        JOIN messaging_attempt AS attempt ON attempt.id = missing.attempt_id
    )
    ORDER BY message.id
    FOR UPDATE
),
taken_back AS (
    SELECT held.id,
           bit_or(missing.parts & CASE
               WHEN attempt.number = held.attempt_count THEN ~0
               ELSE attempt.parts_sent & ~coalesce(earlier.parts, 0) END) AS parts
    FROM missing
    JOIN messaging_attempt AS attempt ON attempt.id = missing.attempt_id
    JOIN held ON held.id = attempt.message_id
    -- Later attempts have counted on the parts of an earlier one, until it was said
    -- for the first time that one failed: whoever says it again speaks of what a later
    -- attempt has sent since.
    LEFT JOIN LATERAL (
        /* as in parts_taken_back.sql */
          AND receipt.applied_at IS NOT NULL
          AND attempt.number < held.attempt_count
    ) AS earlier ON true
    WHERE attempt.number = held.attempt_count
       OR attempt.content_id = held.content_id
    GROUP BY held.id
)
UPDATE messaging_message AS message
SET parts_sent = message.parts_sent & ~taken_back.parts
FROM taken_back
WHERE message.id = taken_back.id
  AND message.parts_sent & taken_back.parts <> 0
RETURNING message.id
