-- Where the messages first sent in the period stand, by the day of the first run of
-- their chain. Those that wait are few, and read from the tallies themselves.
SELECT figure.day, figure.number, figure.code,
       CASE
           WHEN figure.outcome LIKE 'sent%%'
                AND figure.integration_id = ANY (%(sent_is_final)s)
           THEN replace(figure.outcome, 'sent', 'delivered')
           ELSE figure.outcome
       END AS outcome,
       sum(figure.count)::bigint AS count
FROM /* figures */ AS figure
WHERE figure.organization_id = %(organization_id)s
  AND figure.kind = 'standing'
  AND figure.day BETWEEN %(first)s AND %(last)s
  /* within the scope */
GROUP BY 1, 2, 3, 4
HAVING sum(figure.count) <> 0
UNION ALL
SELECT coalesce(figure.first_day, figure.day),
       CASE WHEN figure.first_day IS NULL THEN 0 WHEN figure.reached_before THEN 2
            ELSE 1 END,
       CASE WHEN figure.first_day IS NULL THEN '' ELSE figure.cause_code END,
       'waiting',
       sum(figure.count)::bigint
FROM messaging_tally AS figure
WHERE figure.organization_id = %(organization_id)s
  AND figure.unit = 'message'
  AND figure.outcome IN ('planned', 'queued', 'sending')
  AND figure.day >= %(first)s
  AND coalesce(figure.first_day, figure.day) BETWEEN %(first)s AND %(last)s
  AND figure.count <> 0
  /* within the scope */
  /* of these broadcasts */
GROUP BY 1, 2, 3
