-- The limit: the rows of a retry by one plain statement.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
     due_at, day, priority, state, channel, recipient, parameters)
SELECT organization_id, contact_id, %(broadcast_id)s, id, integration_id, content_id,
       now(), now()::date, 5, 'planned', channel, recipient, parameters
FROM messaging_message
WHERE broadcast_id = %(source_id)s
  AND state = 'failed'
ORDER BY id
