-- A receipt closed these attempts before the answer was written. Their state is
-- the receipt's; what the answer said is added to the record.
UPDATE messaging_attempt AS attempt
SET provider_id = result.provider_id,
    answer = result.answer,
    http_status = result.http_status,
    duration_ms = result.duration_ms
FROM unnest(
    %(attempt_id)b::bigint[], %(provider_id)b::text[], %(answer)b::text[],
    %(http_status)b::int[], %(duration_ms)b::int[]
) AS result (attempt_id, provider_id, answer, http_status, duration_ms)
WHERE attempt.id = result.attempt_id
  AND attempt.state <> 'open'
  AND attempt.answer = ''
  AND attempt.duration_ms IS NULL
RETURNING attempt.id
