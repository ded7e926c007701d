-- A receipt, or the rescue, closed these attempts before the answer was written. What
-- the answer said is added to the record here; what follows is up to who asked.
WITH result AS (
    SELECT *
    FROM unnest(
        %(attempt_id)b::bigint[], %(provider_id)b::text[], %(answer)b::text[],
        %(http_status)b::int[], %(duration_ms)b::int[], %(parts_sent)b::int[]
    ) AS r (attempt_id, provider_id, answer, http_status, duration_ms, parts_sent)
),
late AS MATERIALIZED (
    SELECT attempt.id, attempt.state AS before
    FROM messaging_attempt AS attempt
    WHERE attempt.id = ANY (%(attempt_id)b::bigint[])
      AND attempt.state <> 'open'
      AND attempt.answer = ''
      AND attempt.duration_ms IS NULL
    ORDER BY attempt.id
    FOR UPDATE
)
UPDATE messaging_attempt AS attempt
SET provider_id = result.provider_id,
    answer = result.answer,
    http_status = result.http_status,
    duration_ms = result.duration_ms,
    parts_sent = result.parts_sent
FROM result
JOIN late ON late.id = result.attempt_id
WHERE attempt.id = late.id
RETURNING attempt.id AS attempt_id, late.before, now() AS at
