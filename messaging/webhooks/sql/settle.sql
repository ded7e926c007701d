-- Write how tries went, only where the delivery is still held by the same courier
-- for this very try.
WITH told AS (
    SELECT *
    FROM unnest(
        %(delivery_id)b::bigint[], %(claim)b::uuid[], %(try_count)b::int[],
        %(is_delivered)b::bool[],
        %(http_status)b::int[], %(error)b::text[], %(next_in)b::float[],
        %(entry)b::jsonb[]
    ) AS t (delivery_id, claim, try_count, is_delivered, http_status, error, next_in, entry)
),
ours AS MATERIALIZED (
    SELECT delivery.id
    FROM messaging_webhookdelivery AS delivery
    JOIN told ON told.delivery_id = delivery.id
    WHERE delivery.state = 'sending'
      AND delivery.claim = told.claim
      AND delivery.try_count = told.try_count
    ORDER BY delivery.id
    FOR UPDATE OF delivery
)
UPDATE messaging_webhookdelivery AS delivery
SET state = CASE
        WHEN told.is_delivered THEN 'delivered'
        WHEN told.next_in IS NULL THEN 'failed'
        ELSE 'waiting'
    END,
    claim = NULL,
    claimed_until = NULL,
    finished_at = CASE
        WHEN told.is_delivered OR told.next_in IS NULL THEN clock_timestamp()
    END,
    due_at = CASE
        WHEN told.next_in IS NULL THEN delivery.due_at
        ELSE clock_timestamp() + told.next_in * interval '1 second'
    END,
    http_status = told.http_status,
    error = told.error,
    tries = CASE
        WHEN jsonb_array_length(delivery.tries) < %(kept_tries)b THEN delivery.tries
        ELSE delivery.tries - 0
    END || told.entry
FROM told
JOIN ours ON ours.id = told.delivery_id
WHERE delivery.id = ours.id
RETURNING delivery.id, delivery.endpoint_id, delivery.state, delivery.http_status,
          delivery.error
