-- Messages that wait, in "due", shall not leave: they end as they are told to, unless an
-- earlier try may have arrived. Those are in doubt again, as they were, and say why.
UPDATE messaging_message AS message
SET state = CASE WHEN known.may_arrive THEN known.state ELSE %(state)s END,
    state_at = now(),
    due_at = NULL,
    reason = CASE WHEN known.may_arrive THEN %(held_back_by)s ELSE %(reason)s END,
    error_code = CASE WHEN known.may_arrive THEN known.error_code
        ELSE %(error_code)s END,
    error_class = CASE WHEN known.may_arrive THEN known.error_class
        ELSE %(error_class)s END
FROM (
    SELECT message.id, message.before, stood.*
    FROM due AS message
    LEFT JOIN LATERAL (
        /* as in stood.sql */
    ) AS stood ON message.attempt_count > 0
) AS known
WHERE message.id = known.id
  AND message.state = known.before
RETURNING message.id
