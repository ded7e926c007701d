-- What waits for an endpoint that is off waits for nothing.
WITH waiting AS MATERIALIZED (
    SELECT delivery.id
    FROM messaging_webhookdelivery AS delivery
    WHERE delivery.endpoint_id = %(endpoint_id)s
      AND delivery.state = 'waiting'
      AND EXISTS (
          SELECT FROM messaging_webhookendpoint AS endpoint
          WHERE endpoint.id = %(endpoint_id)s
            AND endpoint.state = 'off'
      )
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_webhookdelivery AS delivery
SET state = 'failed',
    finished_at = clock_timestamp(),
    error = 'endpoint_off'
FROM waiting
WHERE delivery.id = waiting.id
  AND delivery.state = 'waiting'
RETURNING delivery.id
