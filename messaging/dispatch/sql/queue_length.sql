-- How many messages of an organization wait behind each integration: from its tallies
-- of the last days. What waits for longer is too old to be sent again, but behind an
-- integration that has been paused for days.
SELECT integration_id, sum(count - pruned)::bigint AS messages
FROM messaging_tally
WHERE organization_id = %(organization_id)s
  AND unit = 'message'
  AND day >= current_date - %(days)s::int
  AND outcome = 'queued'
  AND integration_id IS NOT NULL
GROUP BY integration_id
HAVING sum(count - pruned) > 0
