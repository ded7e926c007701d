-- What was due while the system was down is not sent half a day late. Taken from each
-- integration in turn, by the index of what is due: an index by time alone would
-- tempt the planner to claim by it, and to sort everybody's queue for one chunk.
-- What was in doubt before it waited is in doubt again: an earlier try may have arrived.
WITH late AS MATERIALIZED (
    SELECT message.*
    FROM messaging_integration AS integration
    CROSS JOIN LATERAL (
        SELECT id, state AS before, attempt_count, content_id
        FROM messaging_message
        WHERE integration_id = integration.id
          AND state = 'queued'
          AND due_at < now() - %(seconds)s * interval '1 second'
        ORDER BY priority, due_at, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS message
    -- A paused integration keeps its queue, whether the engine runs or not.
    WHERE integration.state <> 'paused'
    LIMIT %(limit)s
)
UPDATE messaging_message AS message
SET state = CASE WHEN known.may_arrive THEN known.state ELSE 'failed' END,
    state_at = now(),
    due_at = NULL,
    error_code = CASE WHEN known.may_arrive THEN known.error_code
        ELSE 'resend_admin:missed_time' END,
    error_class = CASE WHEN known.may_arrive THEN known.error_class ELSE 'retry' END
FROM (
    SELECT message.id, message.before, stood.*
    FROM late AS message
    LEFT JOIN LATERAL (
        /* as in stood.sql */
    ) AS stood ON message.attempt_count > 0
) AS known
WHERE message.id = known.id
  AND message.state = known.before
RETURNING message.id
