-- Items of bulk resends that ended longer ago than their organization keeps rows.
WITH old AS MATERIALIZED (
    SELECT item.id
    FROM messaging_bulkresend AS bulk
    JOIN messaging_organization AS organization
      ON organization.id = bulk.organization_id
    JOIN messaging_bulkresenditem AS item ON item.bulk_id = bulk.id
    WHERE bulk.finished_at < now() - organization.retention_days * interval '1 day'
    ORDER BY item.id
    LIMIT %(limit)s
    FOR UPDATE OF item SKIP LOCKED
)
DELETE FROM messaging_bulkresenditem AS item
USING old
WHERE item.id = old.id
RETURNING item.id
