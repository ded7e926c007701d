-- What the attempts of a message that waits have left behind: a provider has it, or
-- nobody can tell, or else the latest of them has failed.
SELECT coalesce(doubt.state, 'failed') AS state,
       doubt.state IS NOT NULL AS may_arrive,
       CASE doubt.state
           WHEN 'sent' THEN ''
           WHEN 'unknown' THEN doubt.error_code
           ELSE latest.error_code END AS error_code,
       CASE doubt.state
           WHEN 'sent' THEN ''
           WHEN 'unknown' THEN doubt.error_class
           ELSE latest.error_class END AS error_class,
       nullif(latest.content_id, message.content_id) AS amended_content_id,
       -- Without a number it is the last part, as in messaging.receipts.
       latest.parts_sent & ~ coalesce((
           SELECT bit_or(1 << CASE
               WHEN split_part(receipt.reference, ':', 2) ~ '^[0-9]{1,4}$'
               THEN least(split_part(receipt.reference, ':', 2)::int, latest.parts - 1)
               ELSE latest.parts - 1 END)
           FROM messaging_receipt AS receipt
           WHERE receipt.attempt_id = latest.id
             AND receipt.integration_id = latest.integration_id
             AND receipt.kind = 'status'
             AND receipt.state = 'failed'
       ), 0) AS parts_sent
FROM messaging_attempt AS latest
LEFT JOIN LATERAL (
    SELECT earlier.state, earlier.error_code, earlier.error_class
    FROM messaging_attempt AS earlier
    WHERE earlier.message_id = message.id
      AND earlier.state IN ('unknown', 'sent')
    ORDER BY earlier.state = 'sent' DESC, earlier.number DESC
    LIMIT 1
) AS doubt ON true
WHERE latest.message_id = message.id
  AND latest.number = message.attempt_count
