UPDATE messaging_receipt AS receipt
SET applied_at = now(),
    result = done.result,
    attempt_id = coalesce(done.attempt_id, receipt.attempt_id)
FROM unnest(%(id)s::bigint[], %(result)s::text[], %(attempt_id)s::bigint[])
    AS done (id, result, attempt_id)
WHERE receipt.id = done.id
  AND receipt.applied_at IS NULL
RETURNING receipt.id
