-- An earlier try arrived after all, or a provider turned out to have it: later ones that
-- have not left are taken back. What a provider only has may still fail: so a retry that
-- has not begun keeps its rows, and judges when it does; and so does a row of whose own
-- attempts one may arrive. Held while they wait, and by their numbers alone after that:
-- the last step looks for them as they were at the beginning, and a row that was planned
-- then may be queued by now.
WITH roots AS (
    SELECT coalesce(root_id, id) AS id,
           bool_or(state IN ('delivered', 'read')) AS has_arrived
    FROM messaging_message
    WHERE id = ANY (%(message_ids)s)
    GROUP BY 1
),
waiting AS MATERIALIZED (
    SELECT message.id
    FROM messaging_message AS message
    JOIN roots ON message.root_id = roots.id
    -- A copy that somebody asked for after the delivery is meant to be one more.
    WHERE message.state IN ('planned', 'queued')
      AND message.broadcast_id IS NOT NULL
      AND (roots.has_arrived OR message.state = 'queued' AND NOT (
        /* as in may_arrive.sql */
      ))
    ORDER BY message.id
    FOR UPDATE OF message
)
/* as in already_reached.sql */
FROM waiting
WHERE message.id = waiting.id
RETURNING message.id
