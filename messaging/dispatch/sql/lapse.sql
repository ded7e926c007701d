-- What was due while the system was down is not sent half a day late.
WITH late AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE state = 'queued'
      AND due_at < now() - %(seconds)s * interval '1 second'
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_message AS message
SET state = 'failed',
    state_at = now(),
    due_at = NULL,
    error_code = 'resend_admin:missed_time',
    error_class = 'retry'
FROM late
WHERE message.id = late.id
  AND message.state = 'queued'
RETURNING message.id
