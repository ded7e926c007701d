-- Whoever was reached once is reached: of a chain, every message to a person after
-- the first that reached them is marked, so that tallies count each person once.
WITH roots AS (
    SELECT DISTINCT coalesce(root_id, id) AS id
    FROM messaging_message
    WHERE id = ANY (%(message_ids)s)
),
standing AS (
    SELECT message.id,
           message.reached_before,
           coalesce(bool_or(message.state IN ('sent', 'delivered', 'read')) OVER (
               PARTITION BY roots.id
               ORDER BY message.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ), false) AS is_repeat
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
