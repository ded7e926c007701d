-- A receipt, or the rescue, closed these attempts before the answer was written.
-- Their state stays; what the answer said is added to the record. So are the parts
-- that it accepted, but for those that a receipt has taken back since: the next
-- attempt sends what is missing, and no part twice.
WITH result AS (
    SELECT *
    FROM unnest(
        %(attempt_id)b::bigint[], %(provider_id)b::text[], %(answer)b::text[],
        %(http_status)b::int[], %(duration_ms)b::int[], %(parts_sent)b::int[]
    ) AS r (attempt_id, provider_id, answer, http_status, duration_ms, parts_sent)
),
late AS MATERIALIZED (
    SELECT attempt.id
    FROM messaging_attempt AS attempt
    WHERE attempt.id = ANY (%(attempt_id)b::bigint[])
      AND attempt.state <> 'open'
      AND attempt.answer = ''
      AND attempt.duration_ms IS NULL
    ORDER BY attempt.id
    FOR UPDATE
),
noted AS (
    UPDATE messaging_attempt AS attempt
    SET provider_id = result.provider_id,
        answer = result.answer,
        http_status = result.http_status,
        duration_ms = result.duration_ms,
        parts_sent = attempt.parts_sent | result.parts_sent
    FROM result
    JOIN late ON late.id = result.attempt_id
    WHERE attempt.id = late.id
    RETURNING attempt.id, attempt.message_id, attempt.number, attempt.parts,
              result.parts_sent
),
taken_back AS (
    -- Without a number it is the last part, as in messaging.receipts.
    SELECT noted.id,
           bit_or(1 << CASE
               WHEN split_part(receipt.reference, ':', 2) ~ '^[0-9]{1,4}$'
               THEN least(split_part(receipt.reference, ':', 2)::int, noted.parts - 1)
               ELSE noted.parts - 1 END) AS parts
    FROM noted
    JOIN messaging_receipt AS receipt ON receipt.attempt_id = noted.id
    WHERE receipt.kind = 'status'
      AND receipt.state = 'failed'
    GROUP BY noted.id
),
waiting AS MATERIALIZED (
    SELECT message.id,
           (message.parts_sent | noted.parts_sent)
               & ~ coalesce(taken_back.parts, 0) AS parts_sent
    FROM noted
    JOIN messaging_message AS message
      ON message.id = noted.message_id AND message.attempt_count = noted.number
    LEFT JOIN taken_back ON taken_back.id = noted.id
    ORDER BY message.id
    FOR UPDATE OF message
)
UPDATE messaging_message AS message
SET parts_sent = waiting.parts_sent
FROM waiting
WHERE message.id = waiting.id
  AND message.parts_sent <> waiting.parts_sent
RETURNING message.id
