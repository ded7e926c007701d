-- One batch of what waits. The range is just these two states and gives the rows in
-- the order of the index of broadcasts: ordered by id alone, they would be looked
-- for along the primary key, through everybody's messages. Locked by id, as
-- everywhere.
WITH found AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND state BETWEEN 'planned' AND 'queued'
    ORDER BY state, id
    LIMIT %(limit)s
),
waiting AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE id = ANY (ARRAY(SELECT id FROM found))
      AND state IN ('planned', 'queued')
    ORDER BY id
    FOR UPDATE
)
UPDATE messaging_message AS message
SET state = %(state)s,
    state_at = now(),
    due_at = NULL,
    reason = %(reason)s,
    error_code = '',
    error_class = ''
FROM waiting
WHERE message.id = waiting.id
  AND message.state IN ('planned', 'queued')
RETURNING message.id
