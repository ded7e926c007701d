-- What the attempts of a message that waits have left behind: a provider has it, or
-- nobody can tell, or else the latest of them has failed.
SELECT coalesce(doubt.state, 'failed') AS state,
       doubt.state IS NOT NULL AS may_arrive,
       CASE doubt.state
           WHEN 'sent' THEN ''
           WHEN 'unknown' THEN doubt.error_code
           ELSE attempt.error_code END AS error_code,
       CASE doubt.state
           WHEN 'sent' THEN ''
           WHEN 'unknown' THEN doubt.error_class
           ELSE attempt.error_class END AS error_class,
       nullif(attempt.content_id, message.content_id) AS amended_content_id
FROM messaging_attempt AS attempt
LEFT JOIN LATERAL (
    SELECT earlier.state, earlier.error_code, earlier.error_class
    FROM messaging_attempt AS earlier
    WHERE earlier.message_id = message.id
      AND earlier.state IN ('unknown', 'sent')
    ORDER BY earlier.state = 'sent' DESC, earlier.number DESC
    LIMIT 1
) AS doubt ON true
WHERE attempt.message_id = message.id
  AND attempt.number = message.attempt_count
