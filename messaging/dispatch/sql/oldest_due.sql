-- The oldest message that waits, of each integration that has one.
SELECT integration.id, integration.organization_id, integration.name,
       integration.channel, integration.state, integration.state_reason,
       integration.rate_per_second, due.due_at,
       pace.paid_until, pace.paused_until, pace.lease_until,
       clock_timestamp() AS now
FROM messaging_integration AS integration
CROSS JOIN LATERAL (
    SELECT (
        /* as in first_due.sql */
    ) AS due_at
) AS due
LEFT JOIN messaging_integrationpace AS pace ON pace.integration_id = integration.id
WHERE due.due_at IS NOT NULL
  AND (%(organization_id)s::bigint IS NULL
       OR integration.organization_id = %(organization_id)s)
ORDER BY due.due_at, integration.id
