WITH waiting AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND state IN ('planned', 'queued')
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE
)
UPDATE messaging_message AS message
SET state = %(state)s,
    state_at = now(),
    due_at = NULL,
    reason = %(reason)s,
    error_code = '',
    error_class = ''
FROM waiting
WHERE message.id = waiting.id
  AND message.state IN ('planned', 'queued')
RETURNING message.id
