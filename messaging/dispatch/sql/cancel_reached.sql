-- An earlier try arrived after all: later ones that have not left are taken back. Held
-- while they wait, and by their numbers alone after that: the last step looks for them
-- as they were at the beginning, and a row that was planned then may be queued by now.
WITH roots AS (
    SELECT DISTINCT coalesce(root_id, id) AS id
    FROM messaging_message
    WHERE id = ANY (%(message_ids)s)
),
waiting AS MATERIALIZED (
    SELECT message.id
    FROM messaging_message AS message
    JOIN roots ON message.root_id = roots.id
    -- A copy that somebody asked for after the delivery is meant to be one more.
    WHERE message.state IN ('planned', 'queued')
      AND message.broadcast_id IS NOT NULL
    ORDER BY message.id
    FOR UPDATE OF message
)
/* as in already_reached.sql */
FROM waiting
WHERE message.id = waiting.id
RETURNING message.id
