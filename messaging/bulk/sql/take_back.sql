-- Take back waiting items of a cancelled bulk resend, one batch of them.
WITH waiting AS MATERIALIZED (
    SELECT item.id
    FROM messaging_bulkresenditem AS item
    WHERE item.bulk_id = %(bulk_id)s
      AND item.state = 'waiting'
    ORDER BY item.id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
),
changed AS (
    UPDATE messaging_bulkresenditem AS item
    SET state = 'cancelled',
        code = %(code)s,
        sentence = %(sentence)s
    FROM waiting
    WHERE item.id = waiting.id
      AND item.state = 'waiting'
    RETURNING item.id
),
counted AS (
    SELECT count(*) AS number FROM changed
),
refused AS (
    INSERT INTO messaging_bulkresendrefusal AS refusal
        (bulk_id, code, sentence, count)
    SELECT %(bulk_id)s, %(code)s, %(sentence)s, number
    FROM counted
    WHERE number > 0
    ON CONFLICT (bulk_id, code, cause)
    DO UPDATE SET count = refusal.count + excluded.count
)
UPDATE messaging_bulkresend AS bulk
SET cancelled_count = bulk.cancelled_count + counted.number
FROM counted
WHERE bulk.id = %(bulk_id)s
  AND counted.number > 0
RETURNING counted.number
