-- One receipt for everything that was delivered.
INSERT INTO messaging_receipt
    (organization_id, integration_id, attempt_id, received_at, occurred_at, applied_at,
     key, kind, state, reference, provider_id, address, error_code, error_detail,
     result, raw)
SELECT attempt.organization_id,
       attempt.integration_id,
       attempt.id,
       attempt.delivered_at,
       attempt.delivered_at,
       attempt.delivered_at,
       attempt.provider_id || ':' || attempt.state,
       'status',
       attempt.state,
       attempt.id::text,
       attempt.provider_id,
       '',
       '',
       '',
       'applied',
       jsonb_build_object(
           'id', attempt.provider_id,
           'status', attempt.state,
           'recipient_id', message.recipient,
           'timestamp', extract(epoch FROM attempt.delivered_at)::bigint
       )
FROM messaging_message AS message
JOIN messaging_attempt AS attempt ON attempt.message_id = message.id
WHERE message.id BETWEEN %(first)s AND %(last)s
  AND attempt.state IN ('delivered', 'read')
ORDER BY attempt.id
