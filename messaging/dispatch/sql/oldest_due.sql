-- The oldest message that waits, of each integration that has one: one look into
-- the index for each priority, however long the queues are.
SELECT integration.id, integration.organization_id, integration.name,
       integration.channel, integration.state, integration.state_reason,
       integration.rate_per_second, due.due_at,
       pace.paid_until, pace.paused_until, pace.lease_until,
       clock_timestamp() AS now
FROM messaging_integration AS integration
CROSS JOIN LATERAL (
    SELECT min(first.due_at) AS due_at
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
) AS due
LEFT JOIN messaging_integrationpace AS pace ON pace.integration_id = integration.id
WHERE due.due_at IS NOT NULL
  AND (%(organization_id)s::bigint IS NULL
       OR integration.organization_id = %(organization_id)s)
ORDER BY due.due_at, integration.id
