-- Tries, failures, answers and recoveries of the period. What was only sent has
-- arrived where no provider would say more.
SELECT figure.kind, figure.channel, figure.integration_id, figure.number,
       CASE
           WHEN figure.outcome = 'delivered' THEN 'arrived'
           WHEN figure.outcome = 'failed' THEN 'failed'
           WHEN figure.outcome = 'sent'
                AND figure.integration_id = ANY (%(sent_is_final)s) THEN 'arrived'
           ELSE 'undecided'
       END AS outcome,
       figure.code,
       sum(figure.count)::bigint AS count,
       sum(figure.credits)::bigint AS credits
FROM /* figures */ AS figure
WHERE figure.organization_id = %(organization_id)s
  AND figure.kind IN ('try', 'failure', 'answer', 'recovered')
  AND figure.day BETWEEN %(first)s AND %(last)s
  /* within the scope */
GROUP BY 1, 2, 3, 4, 5, 6
HAVING sum(figure.count) <> 0
