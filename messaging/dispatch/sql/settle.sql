-- Write what became of a chunk, only where the attempt is still open and the
-- message is still waiting for this very attempt.
WITH result AS (
    SELECT *
    FROM unnest(
        %(attempt_id)b::bigint[], %(state)b::text[], %(error_code)b::text[],
        %(error_class)b::text[], %(error_detail)b::text[], %(provider_id)b::text[],
        %(answer)b::text[], %(http_status)b::int[], %(duration_ms)b::int[],
        %(parts_sent)b::int[], %(pauses)b::int[], %(again_in)b::float[]
    ) AS r (attempt_id, state, error_code, error_class, error_detail, provider_id,
            answer, http_status, duration_ms, parts_sent, pauses, again_in)
),
ours AS MATERIALIZED (
    SELECT attempt.id
    FROM messaging_attempt AS attempt
    WHERE attempt.id = ANY (%(attempt_id)b::bigint[])
      AND attempt.state = 'open'
    ORDER BY attempt.id
    FOR UPDATE
),
closed AS (
    UPDATE messaging_attempt AS attempt
    SET state = result.state,
        closed_at = now(),
        delivered_at = CASE result.state WHEN 'delivered' THEN now() END,
        error_code = result.error_code,
        error_class = result.error_class,
        error_detail = result.error_detail,
        provider_id = result.provider_id,
        answer = result.answer,
        http_status = result.http_status,
        duration_ms = result.duration_ms,
        parts_sent = result.parts_sent,
        pauses = result.pauses
    FROM result
    JOIN ours ON ours.id = result.attempt_id
    WHERE attempt.id = ours.id
      AND attempt.state = 'open'
    RETURNING attempt.id, attempt.message_id, attempt.number, attempt.state,
              attempt.error_code, attempt.error_class, attempt.parts_sent,
              attempt.price, attempt.chain_offset, result.again_in,
              CASE WHEN attempt.state = 'delivered'
                     OR attempt.state = 'sent' AND %(sent_is_final)b
                  THEN attempt.first_failed_at END AS recovers_from
),
waiting AS MATERIALIZED (
    SELECT message.id
    FROM messaging_message AS message
    JOIN closed ON closed.message_id = message.id
    WHERE message.state = 'sending'
      AND message.attempt_count = closed.number
    ORDER BY message.id
    FOR UPDATE OF message
),
moved AS (
    UPDATE messaging_message AS message
    SET state = CASE WHEN closed.again_in IS NULL THEN closed.state ELSE 'queued' END,
        state_at = now(),
        due_at = now() + closed.again_in * interval '1 second',
        sent_at = CASE WHEN closed.state IN ('sent', 'delivered')
            THEN coalesce(message.sent_at, now()) ELSE message.sent_at END,
        delivered_at = CASE WHEN closed.state = 'delivered' THEN now() END,
        error_code = closed.error_code,
        error_class = closed.error_class,
        parts_sent = closed.parts_sent,
        recovered_in = CASE WHEN closed.recovers_from IS NOT NULL
            THEN greatest(0, extract(epoch FROM now() - closed.recovers_from)) END,
        recovered_by = CASE WHEN closed.recovers_from IS NOT NULL
            THEN closed.chain_offset + closed.number - 1 END,
        recovered_for = CASE WHEN closed.recovers_from IS NOT NULL
            THEN closed.price END,
        given_back = message.given_back + (closed.again_in IS NOT NULL)::int
    FROM closed
    JOIN waiting ON waiting.id = closed.message_id
    WHERE message.id = waiting.id
      AND message.state = 'sending'
    RETURNING message.id, message.root_id, message.state
)
SELECT closed.id AS attempt_id,
       moved.id AS message_id,
       moved.root_id,
       moved.state
FROM closed
LEFT JOIN moved ON moved.id = closed.message_id
