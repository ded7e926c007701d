-- Integrations that have due messages and no living pump: the first in line says it.
SELECT integration.id
FROM messaging_integration AS integration
LEFT JOIN messaging_integrationpace AS pace ON pace.integration_id = integration.id
WHERE integration.state <> 'paused'
  AND (pace.lease_until IS NULL OR pace.lease_until < clock_timestamp())
  AND (pace.paused_until IS NULL OR pace.paused_until < clock_timestamp())
  AND (
      /* as in first_due.sql */
  ) <= clock_timestamp()
ORDER BY integration.id
