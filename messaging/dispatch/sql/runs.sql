-- The messages that pass parts on to each other: the runs of a chain to one person. What
-- was sent on its own, or copied from a run, passes nothing on.
SELECT whose.message_id AS id
UNION
SELECT run.id
FROM messaging_message AS mine
CROSS JOIN LATERAL (
    SELECT id, broadcast_id
    FROM messaging_message
    WHERE id = mine.root_id
    UNION ALL
    SELECT id, broadcast_id
    FROM messaging_message
    WHERE root_id = coalesce(mine.root_id, mine.id)
) AS run
WHERE mine.id = whose.message_id
  AND mine.broadcast_id IS NOT NULL
  AND run.broadcast_id IS NOT NULL
