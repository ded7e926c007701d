-- Due messages of an integration that may not send, in the order of their index, and
-- compared with the state in which they were found, like a claim.
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
/* as in not_leaving.sql */
