-- The credentials that these answers were about are refused: keep the queue.
UPDATE messaging_integration
SET state = 'paused',
    state_reason = %(reason)s,
    state_at = now()
WHERE id = %(integration_id)s
  AND state = 'active'
  AND encrypted_credentials = %(credentials)s
RETURNING id
