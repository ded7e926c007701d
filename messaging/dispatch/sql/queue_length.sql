-- How many messages of an organization wait on each channel: from its tallies of
-- the last days. What waits for longer is too old to be sent again.
SELECT channel, sum(count - pruned)::bigint AS messages
FROM messaging_tally
WHERE organization_id = %(organization_id)s
  AND unit = 'message'
  AND day >= current_date - %(days)s::int
  AND outcome = 'queued'
GROUP BY channel
