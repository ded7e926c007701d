-- Held for longer than any try takes: its courier is gone, and nobody can tell
-- whether it was told.
SELECT delivery.id, delivery.endpoint_id, delivery.claim, delivery.try_count,
       delivery.run_tries
FROM messaging_webhookdelivery AS delivery
WHERE delivery.endpoint_id IN (SELECT endpoint_id FROM messaging_webhookhealth)
  AND delivery.state = 'sending'
  AND delivery.claimed_until < clock_timestamp()
ORDER BY delivery.id
LIMIT %(limit)s
