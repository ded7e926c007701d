-- Three bulk resends that have ended: of every ten items one was refused. However few
-- messages there are, these fill a page of the list.
WITH made AS (
    INSERT INTO messaging_bulkresend
        (organization_id, created_by_name, created_at, finished_at, total,
         queued_count, refused_count, cancelled_count, accepts_duplicate, state,
         chosen, reason)
    SELECT %(organization_id)s, 'Ama Owusu', now() - n * interval '1 day',
           now() - n * interval '1 day', size.total, size.total - size.refused,
           size.refused, 0, false, 'completed', 'All messages that failed', ''
    FROM generate_series(1, 3) AS n
    CROSS JOIN (
        SELECT count(*) AS total, count(*) FILTER (WHERE place %% 10 = 0) AS refused
        FROM generate_series(1, greatest(300, %(messages)s / 100)) AS place
    ) AS size
    RETURNING id, total, refused_count
),
chosen AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM messaging_message
    WHERE organization_id = %(organization_id)s
    ORDER BY id
    LIMIT greatest(300, %(messages)s / 100)
),
items AS (
    INSERT INTO messaging_bulkresenditem
        (bulk_id, message_id, state, code, cause, sentence)
    SELECT made.id,
           chosen.id,
           CASE WHEN place %% 10 = 0 THEN 'refused' ELSE 'queued' END,
           CASE WHEN place %% 10 = 0 THEN 'too_old' ELSE '' END,
           '',
           CASE WHEN place %% 10 = 0 THEN 'It is older than 48 hours.' ELSE '' END
    FROM made
    CROSS JOIN chosen
    ORDER BY 1, 2
)
INSERT INTO messaging_bulkresendrefusal (bulk_id, code, cause, sentence, count)
SELECT id, 'too_old', '', 'It is older than 48 hours.', refused_count
FROM made
