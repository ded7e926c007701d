UPDATE messaging_message
SET due_at = now() + %(due_in)s * interval '1 second',
    state_at = now()
WHERE id = %(message_id)s
  AND state = 'queued'
  AND error_code <> ''
RETURNING id
