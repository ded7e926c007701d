-- Due messages of an integration that may not send: skipped, with the reason, unless
-- an earlier try may have arrived: such a message is in doubt again, as it was. In the
-- order of their index, and compared with the state in which they were found, like a
-- claim.
WITH due AS MATERIALIZED (
    SELECT id, state AS before, attempt_count, content_id
    FROM messaging_message
    WHERE integration_id = %(integration_id)s
      AND state = 'queued'
      AND due_at <= now()
    ORDER BY priority, due_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_message AS message
SET state = CASE WHEN known.may_arrive THEN known.state ELSE 'skipped' END,
    state_at = now(),
    due_at = NULL,
    reason = CASE WHEN known.may_arrive THEN '' ELSE %(reason)s END,
    error_code = CASE WHEN known.may_arrive THEN known.error_code ELSE '' END,
    error_class = CASE WHEN known.may_arrive THEN known.error_class ELSE '' END
FROM (
    SELECT message.id, message.before, stood.*
    FROM due AS message
    LEFT JOIN LATERAL (
        /* as in stood.sql */
    ) AS stood ON message.attempt_count > 0
) AS known
WHERE message.id = known.id
  AND message.state = known.before
RETURNING message.id
