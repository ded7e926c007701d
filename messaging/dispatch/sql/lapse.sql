-- What was due while the system was down is not sent half a day late. Taken from each
-- integration in turn, by the index of what is due: an index by time alone would
-- tempt the planner to claim by it, and to sort everybody's queue for one chunk.
WITH due AS MATERIALIZED (
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
/* as in not_leaving.sql */
