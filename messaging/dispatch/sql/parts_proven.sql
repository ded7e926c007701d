-- Parts that a provider must have accepted although nobody was left to write down its
-- answers: it speaks of them, or of a later one. Parts leave in order, each after the
-- answer to the one before. What it took back is not among them.
WITH held AS MATERIALIZED (
    SELECT message.id, message.attempt_count,
           coalesce(message.amended_content_id, message.content_id) AS content_id
    FROM messaging_message AS message
    WHERE message.id IN (
        SELECT message_id
        FROM messaging_attempt
        WHERE id = ANY (%(attempt_id)s::bigint[])
          AND parts > 1
    )
    ORDER BY message.id
    FOR UPDATE
),
proven AS (
    SELECT attempt.id, attempt.message_id,
           bit_or((CASE receipt.state WHEN 'failed' THEN 1 ELSE 2 END << part.number) - 1)
           & ~bit_or(CASE receipt.state WHEN 'failed' THEN 1 << part.number ELSE 0 END)
           & ~attempt.parts_sent AS parts
    FROM messaging_attempt AS attempt
    JOIN held ON held.id = attempt.message_id
    JOIN messaging_receipt AS receipt
      ON receipt.attempt_id = attempt.id
     AND receipt.integration_id = attempt.integration_id
     AND receipt.kind = 'status'
     AND receipt.state IN ('sent', 'failed', 'delivered', 'read')
    CROSS JOIN LATERAL (
        /* as in part_spoken_of.sql */
    ) AS part
    WHERE attempt.id = ANY (%(attempt_id)s::bigint[])
      AND attempt.number = held.attempt_count
      AND attempt.content_id = held.content_id
    GROUP BY attempt.id
),
noted AS (
    UPDATE messaging_attempt AS attempt
    SET parts_sent = attempt.parts_sent | proven.parts
    FROM proven
    WHERE attempt.id = proven.id
      AND proven.parts <> 0
)
UPDATE messaging_message AS message
SET parts_sent = message.parts_sent | proven.parts
FROM proven
WHERE message.id = proven.message_id
  AND proven.parts <> 0
RETURNING message.id
