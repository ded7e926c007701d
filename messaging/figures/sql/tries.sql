-- Closed attempts of the period, by what became of them. What never left is no try.
SELECT tally.channel, tally.integration_id, tally.attempt_number,
       CASE
           WHEN tally.outcome IN ('delivered', 'read') THEN 'arrived'
           WHEN tally.outcome = 'failed' THEN 'failed'
           WHEN tally.outcome = 'sent'
                AND tally.integration_id = ANY (%(sent_is_final)s) THEN 'arrived'
           ELSE 'undecided'
       END AS outcome,
       CASE tally.outcome WHEN 'failed' THEN tally.error_code ELSE '' END AS error_code,
       tally.cause_code,
       sum(tally.count)::bigint AS number
FROM messaging_tally AS tally
WHERE tally.organization_id = %(organization_id)s
  AND tally.unit = 'attempt'
  AND tally.day BETWEEN %(first)s AND %(last)s
  AND tally.count <> 0
  AND tally.error_code <> 'resend_admin:not_sent'
  /* within the scope */
GROUP BY 1, 2, 3, 4, 5, 6
