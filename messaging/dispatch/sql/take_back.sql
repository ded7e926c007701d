-- A resend that waits is cancelled: back to where its attempts have left the message,
-- with the content and the parts it had. A receipt may have come since: an attempt that
-- was in doubt may count as sent, or as failed.
WITH known AS (
    SELECT message.id, stood.*,
           message.error_class <> 'unknown' AND NOT coalesce(stood.may_arrive, false)
               AS keeps_code
    FROM messaging_message AS message
    LEFT JOIN LATERAL (
        /* as in stood.sql */
    ) AS stood ON true
    WHERE message.id = %(message_id)s
    FOR UPDATE OF message
)
UPDATE messaging_message AS message
SET state = coalesce(known.state, 'failed'),
    state_at = now(),
    due_at = NULL,
    error_code = CASE WHEN known.keeps_code THEN message.error_code
        ELSE coalesce(known.error_code, message.error_code) END,
    error_class = CASE WHEN known.keeps_code THEN message.error_class
        ELSE coalesce(known.error_class, message.error_class) END,
    parts_sent = CASE
        WHEN message.amended_content_id IS DISTINCT FROM known.amended_content_id
        THEN (
            /* as in parts_stood.sql */
        ) ELSE message.parts_sent END,
    amended_content_id = known.amended_content_id
FROM known
WHERE message.id = known.id
  AND message.state = 'queued'
  AND message.error_code <> ''
RETURNING message.id
