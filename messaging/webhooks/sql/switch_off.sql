-- Endpoints that are given up: gone by their own word, or without a single delivery
-- for days although one has just used up all its tries.
UPDATE messaging_webhookendpoint AS endpoint
SET state = 'off',
    off_reason = CASE WHEN endpoint.id = ANY (%(gone)s) THEN 'gone' ELSE 'failing' END,
    off_at = clock_timestamp()
FROM messaging_webhookhealth AS health
WHERE health.endpoint_id = endpoint.id
  AND endpoint.state = 'on'
  AND (
      endpoint.id = ANY (%(gone)s)
      OR endpoint.id = ANY (%(given_up)s)
         AND health.failing_since < clock_timestamp() - %(seconds)s * interval '1 second'
  )
RETURNING endpoint.id, endpoint.organization_id, endpoint.off_reason
