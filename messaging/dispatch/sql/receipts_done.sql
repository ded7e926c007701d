-- A moment that nobody can mean goes, so that pages can show the row; ``raw`` has it.
UPDATE messaging_receipt AS receipt
SET applied_at = now(),
    result = done.result,
    occurred_at = CASE
        WHEN receipt.occurred_at >= %(earliest)s AND receipt.occurred_at < %(latest)s
        THEN receipt.occurred_at END,
    attempt_id = coalesce(done.attempt_id, receipt.attempt_id)
FROM unnest(%(id)s::bigint[], %(result)s::text[], %(attempt_id)s::bigint[])
    AS done (id, result, attempt_id)
WHERE receipt.id = done.id
  AND receipt.applied_at IS NULL
RETURNING receipt.id
