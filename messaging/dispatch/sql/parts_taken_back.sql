-- The parts of an attempt that its provider has taken back: "failed" after all.
SELECT bit_or(1 << part.number) AS parts
FROM messaging_receipt AS receipt
CROSS JOIN LATERAL (
    /* as in part_spoken_of.sql */
) AS part
WHERE receipt.attempt_id = attempt.id
  AND receipt.integration_id = attempt.integration_id
  AND receipt.kind = 'status'
  AND receipt.state = 'failed'
