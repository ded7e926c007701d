-- Attempts open for longer than anybody waits for an answer: nobody can tell.
WITH lost AS MATERIALIZED (
    SELECT id, state AS before
    FROM messaging_attempt
    WHERE state = 'open'
      AND opened_at < now() - %(seconds)s * interval '1 second'
    ORDER BY opened_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
),
closed AS (
    UPDATE messaging_attempt AS attempt
    SET state = 'unknown',
        closed_at = now(),
        error_code = 'resend_admin:worker_lost',
        error_class = 'unknown'
    FROM lost
    WHERE attempt.id = lost.id
      AND attempt.state = lost.before
    RETURNING attempt.id, attempt.message_id, attempt.number, attempt.error_code,
              attempt.error_class
),
moved AS (
    UPDATE messaging_message AS message
    SET state = 'unknown',
        state_at = now(),
        error_code = closed.error_code,
        error_class = closed.error_class
    FROM closed
    WHERE message.id = closed.message_id
      AND message.state = 'sending'
      AND message.attempt_count = closed.number
    RETURNING message.id
)
SELECT closed.id AS attempt_id FROM closed
