-- The part that a receipt speaks of. A reference without a number means the last one
-- that the attempt sent, as in messaging.receipts.
SELECT CASE
    WHEN split_part(receipt.reference, ':', 2) ~ '^[0-9]{1,4}$'
    THEN least(split_part(receipt.reference, ':', 2)::int, attempt.parts - 1)
    ELSE (
        /* as in last_part.sql */
    ) END AS number
