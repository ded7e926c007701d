-- Write down whom a retry covers, so many to a line, as they are at this moment.
INSERT INTO broadcasts_frozenmembers (broadcast_id, size, message_ids)
SELECT %(broadcast_id)s, count(*), array_agg(id ORDER BY id)
FROM (
    SELECT chosen.id,
           (row_number() OVER (ORDER BY chosen.id) - 1) / %(page)s AS page
    FROM ({candidates}) AS chosen
) AS numbered
GROUP BY page
ORDER BY page
RETURNING size
