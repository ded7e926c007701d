-- A person's word about a message that is still in doubt, as they looked at it: put on
-- record for the latest attempt in doubt, with attempt and message locked for what
-- follows. Whoever comes second finds another state and gets no row.
WITH doubtful AS MATERIALIZED (
    SELECT attempt.id, attempt.message_id
    FROM messaging_attempt AS attempt
    WHERE attempt.message_id = %(message_id)s
      AND attempt.number <= %(attempt_number)s
      AND attempt.state = 'unknown'
    ORDER BY attempt.number DESC
    LIMIT 1
    FOR UPDATE
),
message AS MATERIALIZED (
    SELECT message.organization_id, message.id, doubtful.id AS attempt_id
    FROM messaging_message AS message
    JOIN doubtful ON doubtful.message_id = message.id
    WHERE message.state = 'unknown'
      AND message.attempt_count = %(attempt_number)s
    FOR UPDATE OF message
)
INSERT INTO messaging_counteddelivery
    (organization_id, message_id, attempt_id, person_name, reason)
SELECT organization_id, id, attempt_id, %(person_name)s, %(reason)s
FROM message
RETURNING attempt_id, created_at
