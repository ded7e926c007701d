WITH old AS MATERIALIZED (
    SELECT id, received_at AS at
    FROM messaging_receipt
    WHERE organization_id = %(organization_id)s
      AND received_at >= %(since)s
      AND received_at < %(before)s
      AND applied_at IS NOT NULL
    ORDER BY received_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
),
chosen AS MATERIALIZED (
    SELECT array_agg(id) AS ids, max(at) AS last FROM old
),
gone AS (
    DELETE FROM messaging_receipt AS receipt
    WHERE receipt.id = ANY ((SELECT ids FROM chosen)::bigint[])
    RETURNING receipt.id
)
SELECT (SELECT count(*) FROM gone) AS number, chosen.last
FROM chosen
