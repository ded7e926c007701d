-- One batch of what waits. The range is just these two states and gives the rows in
-- the order of the index of broadcasts: ordered by id alone, they would be looked
-- for along the primary key, through everybody's messages. Locked by id, as
-- everywhere. Whoever was tried already and waits for another try stands again where
-- the tries have left them: failed members of a cancelled run can still be retried.
WITH found AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND state BETWEEN 'planned' AND 'queued'
    ORDER BY state, id
    LIMIT %(limit)s
),
waiting AS MATERIALIZED (
    SELECT id, content_id, attempt_count, given_back
    FROM messaging_message
    WHERE id = ANY (ARRAY(SELECT id FROM found))
      AND state IN ('planned', 'queued')
    ORDER BY id
    FOR UPDATE
),
known AS (
    SELECT message.id, stood.*, stood.state IS NOT NULL AS was_tried
    FROM waiting AS message
    LEFT JOIN LATERAL (
        /* as in stood.sql */
    ) AS stood ON message.attempt_count > message.given_back
)
UPDATE messaging_message AS message
SET state = coalesce(known.state, %(state)s),
    state_at = now(),
    due_at = NULL,
    reason = CASE WHEN known.was_tried THEN '' ELSE %(reason)s END,
    error_code = coalesce(known.error_code, ''),
    error_class = coalesce(known.error_class, ''),
    parts_sent = CASE
        WHEN known.was_tried
         AND message.amended_content_id IS DISTINCT FROM known.amended_content_id
        THEN (
            /* as in parts_stood.sql */
        ) ELSE message.parts_sent END,
    amended_content_id = CASE WHEN known.was_tried
        THEN known.amended_content_id ELSE message.amended_content_id END
FROM known
WHERE message.id = known.id
  AND message.state IN ('planned', 'queued')
RETURNING message.id
