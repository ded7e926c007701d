WITH old AS MATERIALIZED (
    SELECT id
    FROM messaging_receipt
    WHERE organization_id = %(organization_id)s
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
SELECT count(*) AS number FROM gone
