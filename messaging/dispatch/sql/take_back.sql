-- A resend that waits is cancelled: back to what the last attempt left behind.
-- A receipt may have come since: an attempt that was in doubt may count as sent.
WITH latest AS (
    SELECT message.id,
           CASE WHEN attempt.state IN ('unknown', 'sent') THEN attempt.state
                ELSE 'failed' END AS state
    FROM messaging_message AS message
    LEFT JOIN messaging_attempt AS attempt
      ON attempt.message_id = message.id
     AND attempt.number = message.attempt_count
    WHERE message.id = %(message_id)s
    FOR UPDATE OF message
)
UPDATE messaging_message AS message
SET state = latest.state,
    state_at = now(),
    due_at = NULL,
    error_code = CASE latest.state WHEN 'sent' THEN '' ELSE message.error_code END,
    error_class = CASE latest.state WHEN 'sent' THEN '' ELSE message.error_class END
FROM latest
WHERE message.id = latest.id
  AND message.state = 'queued'
  AND message.error_code <> ''
RETURNING message.id
