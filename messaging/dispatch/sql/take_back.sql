-- A resend that waits is cancelled: back to what the last attempt left behind.
UPDATE messaging_message AS message
SET state = coalesce((
        SELECT CASE attempt.state WHEN 'unknown' THEN 'unknown' ELSE 'failed' END
        FROM messaging_attempt AS attempt
        WHERE attempt.message_id = message.id
          AND attempt.number = message.attempt_count
    ), 'failed'),
    state_at = now(),
    due_at = NULL
WHERE message.id = %(message_id)s
  AND message.state = 'queued'
  AND message.error_code <> ''
RETURNING message.id
