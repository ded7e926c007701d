-- Bulk resends that are due and not done, the longest wait first. One that has started
-- moves with each outcome of an item.
SELECT bulk.id, bulk.organization_id, bulk.state <> 'frozen' AS has_started,
       bulk.total - bulk.queued_count - bulk.refused_count - bulk.cancelled_count
           AS messages,
       due.since, statement_timestamp() AS now
FROM messaging_bulkresend AS bulk
LEFT JOIN messaging_pulse AS pulse ON pulse.id = 1
CROSS JOIN LATERAL (
    SELECT greatest(bulk.created_at, bulk.scheduled_for, bulk.moved_at) AS at
) AS moved
CROSS JOIN LATERAL (
    SELECT CASE WHEN bulk.state = 'frozen' THEN moved.at ELSE /* waits since */ END
        AS since
) AS due
WHERE bulk.finished_at IS NULL
  AND bulk.state IN ('frozen', 'running')
  AND due.since <= statement_timestamp()
  AND (%(organization_id)s::bigint IS NULL
       OR bulk.organization_id = %(organization_id)s)
ORDER BY due.since
LIMIT %(most)s
