-- What is kept of everything that stands so, added up. Resends of "spent" ones are
-- over: they are of a day before "young", or had all their attempts.
SELECT broadcast_id,
       error_code AS code,
       channel,
       integration_id,
       day < %(young)s OR attempt_number > %(resend_limit)s AS is_spent,
       sum(count - pruned)::bigint AS number
FROM messaging_tally
WHERE organization_id = %(organization_id)s
  AND unit = 'message'
  AND outcome = %(outcome)s
  AND day >= %(oldest)s
  AND count > pruned
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
