-- What waits to leave by these integrations, by the tallies.
SELECT integration_id, sum(count)::bigint AS count
FROM messaging_tally
WHERE organization_id = %(organization_id)s
  AND unit = 'message'
  AND outcome IN ('planned', 'queued', 'sending')
  AND outcome = 'queued'
  AND integration_id = ANY (%(integration_ids)s)
GROUP BY 1
