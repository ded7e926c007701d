-- Bulk resends that are due and not done, the longest wait first. One that has started
-- waits since an item of it had its outcome, or since the engine was last heard: while
-- it beats, somebody works on it. Not for ever, though: a chunk that fails on every tick
-- keeps nobody else up, and is only in the log.
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
    SELECT CASE
               WHEN bulk.state = 'frozen'
                   OR moved.at < statement_timestamp()
                       - %(stuck_seconds)s * interval '1 second'
               THEN moved.at
               ELSE greatest(moved.at, pulse.beaten_at)
           END AS since
) AS due
WHERE bulk.finished_at IS NULL
  AND bulk.state IN ('frozen', 'running')
  AND due.since <= statement_timestamp()
  AND (%(organization_id)s::bigint IS NULL
       OR bulk.organization_id = %(organization_id)s)
ORDER BY due.since
LIMIT %(most)s
