-- Messages first sent in the period, by the day of the first run of their chain. A
-- row withheld because its member had been reached counts nowhere.
SELECT coalesce(tally.first_day, tally.day) AS day,
       tally.first_day IS NOT NULL AS is_retry,
       tally.attempt_number > 1 AS is_late,
       tally.reached_before,
       CASE
           WHEN tally.outcome IN ('delivered', 'read') THEN 'delivered'
           WHEN tally.outcome = 'sent'
                AND tally.integration_id = ANY (%(sent_is_final)s) THEN 'delivered'
           WHEN tally.outcome IN ('planned', 'queued', 'sending') THEN 'waiting'
           ELSE tally.outcome
       END AS outcome,
       tally.cause_code,
       sum(tally.count)::bigint AS number
FROM messaging_tally AS tally
WHERE tally.organization_id = %(organization_id)s
  AND tally.unit = 'message'
  AND tally.day >= %(first)s
  AND coalesce(tally.first_day, tally.day) BETWEEN %(first)s AND %(last)s
  AND tally.count <> 0
  AND tally.error_code <> 'already_reached'
  /* within the scope */
GROUP BY 1, 2, 3, 4, 5, 6
