-- Messages whose next try waits although a provider turned out to have one of these
-- whole: nobody would get anything but a second copy.
SELECT DISTINCT message.id
FROM messaging_attempt AS attempt
JOIN messaging_message AS message ON message.id = attempt.message_id
WHERE attempt.id = ANY (%(attempt_id)s::bigint[])
  AND attempt.state = 'sent'
  AND attempt.content_id = coalesce(message.amended_content_id, message.content_id)
  AND message.state = 'queued'
ORDER BY message.id
