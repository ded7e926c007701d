-- What all receipts of attempts in parts come to. A part is in doubt as long as nobody
-- wrote down that it was accepted, and no receipt speaks of it or of a later one. Of
-- those that were taken back, the first part gives the reason.
SELECT attempt.id AS attempt_id,
       attempt.state = 'unknown'
           AND attempt.parts_sent | coalesce(told.parts, 0) <> (1 << attempt.parts) - 1
           AS is_in_doubt,
       failed.*
FROM messaging_attempt AS attempt
CROSS JOIN LATERAL (
    SELECT bit_or((2 << part.number) - 1) AS parts
    FROM messaging_receipt AS receipt
    CROSS JOIN LATERAL (
        /* as in part_spoken_of.sql */
    ) AS part
    WHERE receipt.attempt_id = attempt.id
      AND receipt.integration_id = attempt.integration_id
      AND receipt.kind = 'status'
      AND receipt.state IN ('sent', 'failed', 'delivered', 'read')
) AS told
LEFT JOIN LATERAL (
    SELECT receipt.state, attempt.channel, receipt.error_code, receipt.error_detail,
           CASE WHEN receipt.occurred_at >= %(earliest)s
                 AND receipt.occurred_at < %(latest)s
               THEN receipt.occurred_at END AS occurred_at,
           receipt.received_at
    FROM messaging_receipt AS receipt
    CROSS JOIN LATERAL (
        /* as in part_spoken_of.sql */
    ) AS part
    WHERE receipt.attempt_id = attempt.id
      AND receipt.integration_id = attempt.integration_id
      AND receipt.kind = 'status'
      AND receipt.state = 'failed'
    ORDER BY part.number, receipt.id
    LIMIT 1
) AS failed ON true
WHERE attempt.id = ANY (%(attempt_id)s::bigint[])
  AND attempt.parts > 1
