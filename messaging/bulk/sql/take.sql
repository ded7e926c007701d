-- Take the next waiting items, with the facts of their messages. Another task that
-- takes at the same time gets the ones behind them.
WITH taken AS MATERIALIZED (
    SELECT item.id AS item_id, item.message_id AS id
    FROM messaging_bulkresenditem AS item
    WHERE item.bulk_id = %(bulk_id)s
      AND item.state = 'waiting'
    ORDER BY item.id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
),
asked AS (
    SELECT id FROM taken
),
facts AS MATERIALIZED (
/* facts */
)
SELECT taken.item_id, taken.id AS message_id, facts.*
FROM taken
LEFT JOIN facts ON facts.id = taken.id
ORDER BY taken.item_id
