-- Messages of the period that arrived after a failure, by how long that took.
SELECT tally.channel, tally.integration_id, tally.bucket,
       sum(tally.count)::bigint AS number, sum(tally.credits)::bigint AS credits
FROM messaging_recovery AS tally
WHERE tally.organization_id = %(organization_id)s
  AND tally.day BETWEEN %(first)s AND %(last)s
  /* within the scope */
GROUP BY 1, 2, 3
HAVING sum(tally.count) <> 0
