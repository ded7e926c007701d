-- Fix the set: every chosen message becomes an item. What failed waits for its turn;
-- all others have their answer already. A message that waits in another bulk resend
-- is left to that one.
WITH asked AS MATERIALIZED (
    /* selection */
),
judged AS (
    SELECT message.id,
           CASE
               WHEN message.state NOT IN ('failed', 'unknown') THEN message.state
               WHEN message.state_at > %(shown_at)s THEN 'changed'
               WHEN EXISTS (
                   SELECT FROM messaging_bulkresenditem AS item
                   WHERE item.message_id = message.id AND item.state = 'waiting'
               ) THEN 'elsewhere'
           END AS key
    FROM asked
    JOIN messaging_message AS message ON message.id = asked.id
),
made AS (
    INSERT INTO messaging_bulkresenditem
        (bulk_id, message_id, state, code, sentence)
    SELECT %(bulk_id)s,
           judged.id,
           CASE WHEN judged.key IS NULL THEN 'waiting' ELSE 'refused' END,
           coalesce(why.code, ''),
           coalesce(why.sentence, '')
    FROM judged
    LEFT JOIN unnest(%(keys)s::text[], %(codes)s::text[], %(sentences)s::text[])
        AS why (key, code, sentence) ON why.key = judged.key
    ORDER BY judged.id
    ON CONFLICT (message_id) WHERE state = 'waiting' DO NOTHING
    RETURNING state, code, sentence
),
refused AS (
    INSERT INTO messaging_bulkresendrefusal (bulk_id, code, sentence, count)
    SELECT %(bulk_id)s, code, min(sentence), count(*)
    FROM made
    WHERE state = 'refused'
    GROUP BY code
    RETURNING count
),
counted AS (
    SELECT (SELECT count(*) FROM made) AS total,
           (SELECT coalesce(sum(count), 0) FROM refused) AS refused
)
UPDATE messaging_bulkresend AS bulk
SET total = counted.total,
    refused_count = counted.refused
FROM counted
WHERE bulk.id = %(bulk_id)s
RETURNING bulk.total, bulk.refused_count
