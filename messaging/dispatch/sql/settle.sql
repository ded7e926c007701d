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
-- Attempts and messages are held one by one, in the order of their numbers, and what
-- they were is asked afterwards. By a constant state, PostgreSQL would go through all
-- that are being sent for each of them: statistics often know of none.
ours AS MATERIALIZED (
    SELECT held.*
    FROM (SELECT attempt_id FROM result ORDER BY attempt_id) AS asked
    CROSS JOIN LATERAL (
        SELECT id, state AS before, parts_inherited AS inherited
        FROM messaging_attempt
        WHERE id = asked.attempt_id
        LIMIT 1
        FOR UPDATE
    ) AS held
    WHERE held.before = 'open'
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
      AND attempt.state = ours.before
    RETURNING attempt.id, attempt.message_id, attempt.number, attempt.content_id,
              attempt.state,
              attempt.error_code, attempt.error_class, attempt.parts_sent,
              attempt.price, attempt.chain_offset, result.again_in, ours.inherited,
              ours.inherited = (1 << attempt.parts) - 1 AS begins_anew,
              CASE WHEN attempt.state = 'delivered'
                     OR attempt.state = 'sent' AND %(sent_is_final)b
                  THEN attempt.first_failed_at END AS recovers_from
),
-- Each carries all that its message takes over, so that nothing has to be joined again.
waiting AS MATERIALIZED (
    SELECT message.id, message.before, closed.state, closed.number, closed.error_code,
           closed.error_class, closed.price, closed.chain_offset,
           -- A part that an earlier attempt got through may have been taken back
           -- while this one was under way.
           CASE WHEN closed.begins_anew THEN closed.parts_sent
               ELSE message.parts_sent | (closed.parts_sent & ~closed.inherited)
               END AS parts_sent,
           closed.again_in, closed.recovers_from, doubt.state AS doubt,
           -- What a provider turned out to have meanwhile does not go out again.
           closed.again_in IS NOT NULL AND NOT coalesce(
               doubt.state = 'sent' AND doubt.content_id = closed.content_id, false
           ) AS goes_back,
           doubt.error_code AS doubt_code, doubt.error_class AS doubt_class
    FROM (SELECT * FROM closed ORDER BY message_id) AS closed
    CROSS JOIN LATERAL (
        SELECT id, state AS before, attempt_count, parts_sent
        FROM messaging_message
        WHERE id = closed.message_id
        LIMIT 1
        FOR UPDATE
    ) AS message
    -- Of an earlier attempt nobody can tell, or a receipt has said meanwhile that the
    -- provider has it: that this one failed does not make the message a failed one.
    LEFT JOIN LATERAL (
        SELECT earlier.state, earlier.content_id,
               CASE earlier.state WHEN 'sent' THEN '' ELSE earlier.error_code END AS error_code,
               CASE earlier.state WHEN 'sent' THEN '' ELSE earlier.error_class END AS error_class
        FROM messaging_attempt AS earlier
        WHERE closed.state = 'failed'
          AND closed.number > 1
          AND earlier.message_id = message.id
          AND earlier.number < closed.number
          AND earlier.state IN ('unknown', 'sent')
        ORDER BY earlier.state = 'sent' DESC, earlier.number DESC
        LIMIT 1
    ) AS doubt ON true
    WHERE message.before = 'sending'
      AND message.attempt_count = closed.number
),
moved AS (
    UPDATE messaging_message AS message
    SET state = CASE WHEN waiting.goes_back
            THEN 'queued' ELSE coalesce(waiting.doubt, waiting.state) END,
        state_at = now(),
        due_at = CASE WHEN waiting.goes_back
            THEN now() + waiting.again_in * interval '1 second' END,
        sent_at = CASE WHEN waiting.state IN ('sent', 'delivered')
            THEN coalesce(message.sent_at, now()) ELSE message.sent_at END,
        delivered_at = CASE WHEN waiting.state = 'delivered' THEN now() END,
        error_code = CASE WHEN waiting.goes_back THEN waiting.error_code
            ELSE coalesce(waiting.doubt_code, waiting.error_code) END,
        error_class = CASE WHEN waiting.goes_back THEN waiting.error_class
            ELSE coalesce(waiting.doubt_class, waiting.error_class) END,
        parts_sent = waiting.parts_sent,
        recovered_in = CASE WHEN waiting.recovers_from IS NOT NULL
            THEN greatest(0, extract(epoch FROM now() - waiting.recovers_from)) END,
        recovered_by = CASE WHEN waiting.recovers_from IS NOT NULL
            THEN waiting.chain_offset + waiting.number - 1 END,
        recovered_for = CASE WHEN waiting.recovers_from IS NOT NULL
            THEN waiting.price END,
        given_back = message.given_back + (waiting.again_in IS NOT NULL)::int
    FROM waiting
    WHERE message.id = waiting.id
      AND message.state = waiting.before
    RETURNING message.id, message.root_id, message.state
)
-- A row for every message that somebody has to follow up, and at least one.
SELECT counted.closed,
       counted.failed_attempts,
       moved.id AS message_id,
       moved.root_id,
       moved.state
FROM (
    SELECT count(*) AS closed,
           coalesce(array_agg(id) FILTER (WHERE state = 'failed'), '{}')
               AS failed_attempts
    FROM closed
) AS counted
LEFT JOIN moved ON moved.state = 'failed' OR moved.root_id IS NOT NULL
