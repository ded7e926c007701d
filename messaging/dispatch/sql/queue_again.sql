-- Put messages back into the queue for another attempt. Whoever comes second finds
-- another state or another count of attempts, and changes nothing. The rows are
-- locked by the statement before, and with them their chains, so that this one sees a
-- retry frozen or started meanwhile, and a receipt of another run.
WITH wanted AS (
    SELECT *
    FROM unnest(
        %(message_id)s::bigint[], %(attempt_count)s::int[], %(due_in)s::float[],
        %(content_id)s::bigint[], %(asked_by)s::text[], %(asked_by_name)s::text[],
        %(asked_reason)s::text[], %(priority)s::int[], %(asked_in_bulk)s::bigint[]
    ) AS w (message_id, attempt_count, due_in, content_id, asked_by, asked_by_name,
            asked_reason, priority, asked_in_bulk)
),
-- One by one, and asked for their state afterwards; see settle.sql.
ours AS MATERIALIZED (
    SELECT message.id, message.state AS before
    FROM (SELECT * FROM wanted ORDER BY message_id) AS wanted
    CROSS JOIN LATERAL (
        SELECT id, state, attempt_count, integration_id, broadcast_id, root_id,
               content_id, amended_content_id, parts_sent
        FROM messaging_message
        WHERE id = wanted.message_id
        LIMIT 1
    ) AS message
    WHERE message.state = ANY (%(states)s)
      AND message.attempt_count = wanted.attempt_count
      AND message.integration_id IS NOT NULL
      AND NOT (
        /* as in taken_over_by.sql */
      )
      AND NOT (wanted.content_id IS NULL AND (
        /* as in every_part_sent.sql */
      ))
      AND NOT EXISTS (
          SELECT FROM messaging_attempt AS attempt
          WHERE attempt.message_id = message.id
            AND attempt.state = 'open'
      )
)
UPDATE messaging_message AS message
SET state = 'queued',
    state_at = now(),
    due_at = now() + wanted.due_in * interval '1 second',
    reason = '',
    asked_by = wanted.asked_by,
    asked_by_name = wanted.asked_by_name,
    asked_reason = wanted.asked_reason,
    asked_in_bulk = wanted.asked_in_bulk,
    priority = wanted.priority,
    parts_sent = CASE WHEN wanted.content_id IS NULL THEN message.parts_sent ELSE 0 END,
    amended_content_id = coalesce(wanted.content_id, message.amended_content_id)
FROM wanted
JOIN ours ON ours.id = wanted.message_id
WHERE message.id = ours.id
  AND message.state = ours.before
  AND message.attempt_count = wanted.attempt_count
RETURNING message.id
