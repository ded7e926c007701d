-- What each priced attempt did to the credits: held, then charged or released.
INSERT INTO messaging_creditentry
    (organization_id, attempt_id, message_id, created_at, step, amount,
     available_change, held_change)
SELECT attempt.organization_id,
       attempt.id,
       attempt.message_id,
       line.at,
       line.step,
       attempt.price,
       line.available * attempt.price,
       line.held * attempt.price
FROM messaging_message AS message
JOIN messaging_attempt AS attempt ON attempt.message_id = message.id
CROSS JOIN LATERAL (
    VALUES ('hold', attempt.opened_at, -1, 1, true),
           ('charge', attempt.delivered_at, 0, -1,
            attempt.state IN ('delivered', 'read')),
           ('release', attempt.closed_at, 1, -1, attempt.state = 'failed')
) AS line (step, at, available, held, is_due)
WHERE message.id BETWEEN %(first)s AND %(last)s
  AND attempt.price > 0
  AND line.is_due
ORDER BY attempt.id, line.held DESC
