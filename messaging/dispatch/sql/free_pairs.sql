-- A message that was refused is none to its person: the next one need not keep away
-- from it. Attempts that got a part through stay counted, and so does a later attempt
-- to the same person: it has moved the end of their pause on by a whole one.
DELETE FROM messaging_pairpace AS pair
USING messaging_attempt AS attempt
JOIN messaging_message AS message ON message.id = attempt.message_id
WHERE attempt.id = ANY (%(attempt_ids)s)
  AND attempt.parts_sent = 0
  AND pair.integration_id = attempt.integration_id
  AND pair.recipient = message.recipient
  AND pair.free_at < attempt.opened_at + interval '1 second' * (
      %(horizon_seconds)s + %(pair_seconds)s * (attempt.parts + 0.5)
  )
RETURNING pair.integration_id
