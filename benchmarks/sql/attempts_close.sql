-- Close the attempts of this number: the last one of a message stands as the message
-- does, the ones before it failed on the provider's side.
UPDATE messaging_attempt AS attempt
SET state = said.state,
    closed_at = attempt.opened_at + interval '180 ms',
    delivered_at = CASE WHEN is_last THEN message.delivered_at END,
    duration_ms = 100 + attempt.id %% 400,
    parts_sent = (said.state <> 'failed')::int,
    http_status = CASE WHEN is_last THEN 200 ELSE 503 END,
    provider_id = CASE WHEN said.state IN ('sent', 'delivered', 'read')
        THEN 'wamid.' || md5(attempt.id::text) ELSE '' END,
    error_code = CASE
        WHEN NOT is_last THEN 'any:http_5xx'
        WHEN said.state = 'failed' THEN message.error_code
        ELSE '' END,
    error_class = CASE
        WHEN NOT is_last THEN 'retry'
        WHEN said.state = 'failed' THEN message.error_class
        ELSE '' END,
    error_detail = CASE WHEN said.state = 'failed'
        THEN 'The provider said so, in a sentence of common length.' ELSE '' END,
    answer = '{"messages": [{"id": "wamid.' || md5(attempt.id::text)
        || '"}], "messaging_product": "whatsapp"}'
FROM messaging_message AS message
CROSS JOIN LATERAL (SELECT message.attempt_count = %(number)s AS is_last) AS place
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN NOT is_last THEN 'failed'
        WHEN message.state = 'queued' THEN 'failed'
        ELSE message.state
    END AS state
) AS said
WHERE attempt.message_id = message.id
  AND attempt.number = %(number)s
  AND message.id BETWEEN %(first)s AND %(last)s
  AND NOT (is_last AND message.state = 'sending')
