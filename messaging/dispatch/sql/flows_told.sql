-- What is known of attempts in parts from their answers and all their receipts. In doubt
-- is a part that may have left and of which nobody has told: of an attempt whose answer
-- is on record the first that it did not get through, of others each. Of the parts that
-- were taken back the first gives the reason.
SELECT attempt.id AS attempt_id,
       attempt.state = 'unknown' AND doubtful.parts & ~spoken_of.parts <> 0
           AS is_in_doubt,
       attempt.state = 'unknown'
           AND attempt.parts_sent | spoken_of.parts = (1 << attempt.parts) - 1
           AND spoken_of.taken_back = 0 AS is_whole,
       now() AS at,
       failed.*
FROM messaging_attempt AS attempt
CROSS JOIN LATERAL (
    SELECT ((1 << attempt.parts) - 1) & ~attempt.parts_sent
        & CASE WHEN attempt.duration_ms IS NULL
            THEN ~0 ELSE attempt.parts_sent + 1 END AS parts
) AS doubtful
CROSS JOIN LATERAL (
    /* as in parts_spoken_of.sql */
) AS spoken_of
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
