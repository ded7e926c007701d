-- When the first message that waits at an integration is due: one look into the index
-- for each priority, however long the queue is and whether it is for today or not.
SELECT min(first.due_at)
FROM unnest(%(priorities)s::smallint[]) AS kind (priority)
CROSS JOIN LATERAL (
    SELECT message.due_at
    FROM messaging_message AS message
    WHERE message.integration_id = integration.id
      AND message.priority = kind.priority
      AND message.state = 'queued'
    ORDER BY message.due_at
    LIMIT 1
) AS first
