-- Held until the commit, so that a frozen set knows what had failed before it. Not
-- FOR UPDATE: nobody who writes the outbox ever waits for a courier.
SELECT endpoint_id
FROM messaging_webhookhealth
WHERE endpoint_id = ANY (%(endpoint_ids)s)
ORDER BY endpoint_id
FOR NO KEY UPDATE
