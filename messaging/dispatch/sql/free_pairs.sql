-- A message that was refused is none to its person: the next one need not keep away
-- from it. Attempts that got a part through stay counted.
DELETE FROM messaging_pairpace AS pair
USING messaging_attempt AS attempt
JOIN messaging_message AS message ON message.id = attempt.message_id
WHERE attempt.id = ANY (%(attempt_ids)s)
  AND attempt.parts_sent = 0
  AND pair.integration_id = attempt.integration_id
  AND pair.recipient = message.recipient
RETURNING pair.integration_id
