-- Due messages of an integration that may not send: skipped, with the reason.
-- In the order of their index, and compared with the state in which they were found,
-- like a claim.
WITH due AS MATERIALIZED (
    SELECT id, state AS before
    FROM messaging_message
    WHERE integration_id = %(integration_id)s
      AND state = 'queued'
      AND due_at <= now()
    ORDER BY priority, due_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_message AS message
SET state = 'skipped',
    state_at = now(),
    due_at = NULL,
    reason = %(reason)s,
    error_code = '',
    error_class = ''
FROM due
WHERE message.id = due.id
  AND message.state = due.before
RETURNING message.id
