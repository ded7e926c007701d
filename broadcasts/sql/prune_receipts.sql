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
gone AS (
    DELETE FROM messaging_receipt AS receipt
    USING old
    WHERE receipt.id = old.id
    RETURNING receipt.id
)
SELECT (SELECT count(*) FROM gone) AS number,
       (SELECT max(at) FROM old) AS last
