-- Integrations that have due messages and no living pump. Of each priority the first
-- in line says it: one look into the index, also where thousands wait for tomorrow.
SELECT integration.id
FROM messaging_integration AS integration
LEFT JOIN messaging_integrationpace AS pace ON pace.integration_id = integration.id
WHERE integration.state <> 'paused'
  AND (pace.lease_until IS NULL OR pace.lease_until < clock_timestamp())
  AND (pace.paused_until IS NULL OR pace.paused_until < clock_timestamp())
  AND EXISTS (
      SELECT
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
      WHERE first.due_at <= clock_timestamp()
  )
ORDER BY integration.id
