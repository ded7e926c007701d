-- The parts of an attempt that its provider has taken back: "failed" after all. A
-- reference without a number means the last part, as in messaging.receipts.
SELECT bit_or(1 << CASE
           WHEN split_part(receipt.reference, ':', 2) ~ '^[0-9]{1,4}$'
           THEN least(split_part(receipt.reference, ':', 2)::int, attempt.parts - 1)
           ELSE attempt.parts - 1 END) AS parts
FROM messaging_receipt AS receipt
WHERE receipt.attempt_id = attempt.id
  AND receipt.integration_id = attempt.integration_id
  AND receipt.kind = 'status'
  AND receipt.state = 'failed'
