-- Claimed and never sent: due as before, and no try was made.
WITH unsent AS MATERIALIZED (
    SELECT delivery.id
    FROM messaging_webhookdelivery AS delivery
    JOIN unnest(
        %(delivery_id)s::bigint[], %(claim)s::uuid[], %(try_count)s::int[]
    ) AS t (delivery_id, claim, try_count) ON t.delivery_id = delivery.id
    WHERE delivery.state = 'sending'
      AND delivery.claim = t.claim
      AND delivery.try_count = t.try_count
    ORDER BY delivery.id
    FOR UPDATE OF delivery
)
UPDATE messaging_webhookdelivery AS delivery
SET state = 'waiting',
    claim = NULL,
    claimed_until = NULL,
    try_count = delivery.try_count - 1,
    run_tries = delivery.run_tries - 1
FROM unsent
WHERE delivery.id = unsent.id
RETURNING delivery.id
