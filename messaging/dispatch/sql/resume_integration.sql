UPDATE messaging_integration
SET state = 'active',
    state_reason = '',
    state_at = now()
WHERE id = %(integration_id)s
  AND state = 'paused'
RETURNING id
