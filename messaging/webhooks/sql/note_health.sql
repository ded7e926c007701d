-- How it went, endpoint by endpoint; a delivery among failures proves it alive.
WITH told AS (
    SELECT endpoint_id,
           bool_or(is_delivered) AS has_delivered,
           NOT bool_and(is_delivered) AS has_failed,
           (array_agg(http_status ORDER BY is_delivered DESC))[1] AS http_status,
           (array_agg(error ORDER BY is_delivered DESC))[1] AS error,
           max(pause) AS pause
    FROM unnest(
        %(endpoint_id)s::bigint[], %(is_delivered)s::bool[], %(http_status)s::int[],
        %(error)s::text[], %(pause)s::float[]
    ) AS t (endpoint_id, is_delivered, http_status, error, pause)
    GROUP BY endpoint_id
)
UPDATE messaging_webhookhealth AS health
SET delivered_at = CASE WHEN told.has_delivered
        THEN clock_timestamp() ELSE health.delivered_at END,
    failed_at = CASE WHEN told.has_failed
        THEN clock_timestamp() ELSE health.failed_at END,
    failing_since = CASE WHEN NOT told.has_delivered
        THEN coalesce(health.failing_since, clock_timestamp()) END,
    last_status = told.http_status,
    last_error = told.error,
    paused_until = greatest(
        health.paused_until,
        clock_timestamp() + nullif(told.pause, 0) * interval '1 second'
    )
FROM told
WHERE health.endpoint_id = told.endpoint_id
RETURNING health.endpoint_id
