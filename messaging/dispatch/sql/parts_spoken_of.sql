-- What all receipts of an attempt tell of its parts: those that left, as parts leave in
-- order, each after the answer to the one before; and those that were taken back,
-- "failed" after all.
SELECT coalesce(bit_or((2 << part.number) - 1), 0) AS parts,
       coalesce(
           bit_or(CASE receipt.state WHEN 'failed' THEN 1 << part.number ELSE 0 END), 0
       ) AS taken_back
FROM messaging_receipt AS receipt
CROSS JOIN LATERAL (
    /* as in part_spoken_of.sql */
) AS part
WHERE receipt.attempt_id = attempt.id
  AND receipt.integration_id = attempt.integration_id
  AND receipt.kind = 'status'
  AND receipt.state IN ('sent', 'failed', 'delivered', 'read')
