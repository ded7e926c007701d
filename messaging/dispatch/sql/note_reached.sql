-- Of all messages of a chain that reached one person, the first counts.
WITH roots AS (
    SELECT DISTINCT coalesce(root_id, id) AS id
    FROM messaging_message
    WHERE id = ANY (%(message_ids)s)
),
standing AS (
    SELECT message.id,
           message.reached_before,
           message.state IN ('sent', 'delivered', 'read')
               AND count(*) FILTER (
                       WHERE message.state IN ('sent', 'delivered', 'read')
                   ) OVER (PARTITION BY roots.id ORDER BY message.id) > 1 AS is_repeat
    FROM roots
    JOIN messaging_message AS message
      ON message.id = roots.id OR message.root_id = roots.id
)
UPDATE messaging_message AS message
SET reached_before = standing.is_repeat
FROM standing
WHERE message.id = standing.id
  AND message.reached_before <> standing.is_repeat
RETURNING message.id
