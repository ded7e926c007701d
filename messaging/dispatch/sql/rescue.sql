-- Attempts open for longer than anybody waits for an answer: nobody can tell. Open ones
-- are few, and found by the index that allows a message only one of them.
WITH lost AS MATERIALIZED (
    SELECT id, state AS before
    FROM messaging_attempt
    WHERE state = 'open'
      AND opened_at < now() - %(seconds)s * interval '1 second'
    ORDER BY message_id
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
              attempt.error_class, attempt.organization_id, attempt.integration_id,
              attempt.parts
),
-- Held one by one, and asked for their state afterwards; see settle.sql.
waiting AS MATERIALIZED (
    SELECT held.*, closed.number, closed.error_code, closed.error_class
    FROM (SELECT * FROM closed ORDER BY message_id) AS closed
    CROSS JOIN LATERAL (
        SELECT id, state AS before
        FROM messaging_message
        WHERE id = closed.message_id
        LIMIT 1
        FOR UPDATE
    ) AS held
    WHERE held.before = 'sending'
),
moved AS (
    UPDATE messaging_message AS message
    SET state = 'unknown',
        state_at = now(),
        error_code = waiting.error_code,
        error_class = waiting.error_class
    FROM waiting
    WHERE message.id = waiting.id
      AND message.state = waiting.before
      AND message.attempt_count = waiting.number
    RETURNING message.id
)
SELECT id AS attempt_id, message_id, organization_id, integration_id, parts
FROM closed
ORDER BY id
