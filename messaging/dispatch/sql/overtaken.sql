-- A receipt, or the rescue, closed these attempts before the answer was written. What
-- the answer said is added to the record here; whether their state follows is up to
-- who asked. So are the parts that it accepted, but for those that a receipt has taken
-- back since: the next attempt sends what is missing, and no part twice. Once there is
-- a next attempt, it counts on what was known when it began.
WITH result AS (
    SELECT *
    FROM unnest(
        %(attempt_id)b::bigint[], %(provider_id)b::text[], %(answer)b::text[],
        %(http_status)b::int[], %(duration_ms)b::int[], %(parts_sent)b::int[]
    ) AS r (attempt_id, provider_id, answer, http_status, duration_ms, parts_sent)
),
late AS MATERIALIZED (
    SELECT attempt.id, attempt.message_id, attempt.number, attempt.content_id,
           attempt.state AS before
    FROM messaging_attempt AS attempt
    WHERE attempt.id = ANY (%(attempt_id)b::bigint[])
      AND attempt.state <> 'open'
      AND attempt.answer = ''
      AND attempt.duration_ms IS NULL
    ORDER BY attempt.id
    FOR UPDATE
),
held AS MATERIALIZED (
    SELECT late.id AS attempt_id, late.before, message.id,
           message.state = 'queued' AS is_queued,
           message.attempt_count = late.number AS is_latest,
           coalesce(message.amended_content_id, message.content_id) = late.content_id
               AS is_same_content
    FROM messaging_message AS message
    JOIN late ON late.message_id = message.id
    ORDER BY message.id
    FOR UPDATE OF message
),
noted AS (
    UPDATE messaging_attempt AS attempt
    SET provider_id = result.provider_id,
        answer = result.answer,
        http_status = result.http_status,
        duration_ms = result.duration_ms,
        parts_sent = attempt.parts_sent
            | CASE WHEN held.is_latest THEN result.parts_sent ELSE 0 END
    FROM result
    JOIN held ON held.attempt_id = result.attempt_id
    WHERE attempt.id = held.attempt_id
    RETURNING attempt.id, attempt.integration_id, attempt.parts, result.parts_sent
),
taken_back AS (
    SELECT attempt.id, (
        /* as in parts_taken_back.sql */
    ) AS parts
    FROM noted AS attempt
),
moved AS (
    UPDATE messaging_message AS message
    SET parts_sent = (message.parts_sent | noted.parts_sent)
        & ~ coalesce(taken_back.parts, 0)
    FROM held
    JOIN noted ON noted.id = held.attempt_id
    LEFT JOIN taken_back ON taken_back.id = held.attempt_id
    WHERE message.id = held.id
      AND held.is_latest
      AND held.is_same_content
    RETURNING message.id,
              held.is_queued
                  AND message.parts_sent = (1 << noted.parts) - 1 AS has_nothing_left
)
SELECT held.attempt_id,
       held.before,
       now() AS at,
       CASE WHEN moved.has_nothing_left THEN held.id END AS to_take_back
FROM held
LEFT JOIN moved ON moved.id = held.id AND held.is_latest
ORDER BY held.attempt_id
