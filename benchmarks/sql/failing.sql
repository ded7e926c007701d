-- Let every message of a broadcast have failed two hours ago, of causes that pass.
UPDATE messaging_message AS message
SET state = 'failed',
    error_code = (ARRAY['whatsapp:2', 'whatsapp:131000', 'whatsapp:131016',
                        'whatsapp:http_5xx', 'whatsapp:connection_failed'])
                 [1 + message.id %% 5],
    error_class = 'retry',
    attempt_count = 1,
    due_at = NULL,
    created_at = message.created_at - interval '2 hours',
    state_at = message.created_at - interval '2 hours'
WHERE message.broadcast_id = %(broadcast_id)s
