-- Whether a courier would find anything: one probe per endpoint.
SELECT EXISTS (
    SELECT
    FROM messaging_webhookendpoint AS endpoint
    LEFT JOIN messaging_webhookhealth AS health ON health.endpoint_id = endpoint.id
    WHERE endpoint.state = 'on'
      AND (health.paused_until IS NULL OR health.paused_until <= clock_timestamp())
      AND (
          EXISTS (
              SELECT FROM messaging_webhookdelivery AS delivery
              WHERE delivery.endpoint_id = endpoint.id
                AND delivery.state = 'waiting'
                AND delivery.due_at <= clock_timestamp()
          )
          OR EXISTS (
              SELECT FROM messaging_webhookdelivery AS delivery
              WHERE delivery.endpoint_id = endpoint.id
                AND delivery.state = 'sending'
                AND delivery.claimed_until < clock_timestamp()
          )
      )
) AS has_work
