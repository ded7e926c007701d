-- Open the attempt of this number of every message that had so many.
INSERT INTO messaging_attempt
    (organization_id, message_id, integration_id, content_id, broadcast_id, opened_at,
     day, number, price, parts, parts_sent, state, channel, actor, actor_name, reason,
     cause_code)
SELECT message.organization_id,
       message.id,
       message.integration_id,
       message.content_id,
       message.broadcast_id,
       least(message.created_at + %(number)s * interval '1 s', %(now)s),
       message.day,
       %(number)s,
       integration.credit_price,
       1,
       0,
       'open',
       message.channel,
       CASE WHEN %(number)s > 1 THEN 'automatic' ELSE message.asked_by END,
       '',
       '',
       CASE WHEN %(number)s > 1 THEN 'any:http_5xx' ELSE '' END
FROM messaging_message AS message
JOIN messaging_integration AS integration ON integration.id = message.integration_id
WHERE message.id BETWEEN %(first)s AND %(last)s
  AND message.attempt_count >= %(number)s
ORDER BY message.id
