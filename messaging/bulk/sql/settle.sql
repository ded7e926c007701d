-- Write down what became of taken items; the counters follow in the same statement.
WITH decided AS (
    SELECT *
    FROM unnest(
        %(item_id)s::bigint[], %(state)s::text[], %(code)s::text[], %(cause)s::text[],
        %(sentence)s::text[]
    ) AS d (item_id, state, code, cause, sentence)
),
changed AS (
    UPDATE messaging_bulkresenditem AS item
    SET state = decided.state,
        code = decided.code,
        cause = decided.cause,
        sentence = decided.sentence
    FROM decided
    WHERE item.id = decided.item_id
      AND item.state = 'waiting'
    RETURNING item.bulk_id, item.state, item.code, item.cause, item.sentence
),
refused AS (
    INSERT INTO messaging_bulkresendrefusal AS refusal
        (bulk_id, code, cause, sentence, count)
    SELECT bulk_id, code, cause, min(sentence), count(*)
    FROM changed
    WHERE state = 'refused'
    GROUP BY bulk_id, code, cause
    ORDER BY bulk_id, code, cause
    ON CONFLICT (bulk_id, code, cause)
    DO UPDATE SET count = refusal.count + excluded.count
)
UPDATE messaging_bulkresend AS bulk
SET queued_count = bulk.queued_count + counted.queued,
    refused_count = bulk.refused_count + counted.refused,
    moved_at = clock_timestamp()
FROM (
    SELECT bulk_id,
           count(*) FILTER (WHERE state = 'queued') AS queued,
           count(*) FILTER (WHERE state = 'refused') AS refused
    FROM changed
    GROUP BY bulk_id
) AS counted
WHERE bulk.id = counted.bulk_id
