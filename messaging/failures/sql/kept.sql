-- What is kept of everything that stands so: of each spelling, way and age, how many
-- each broadcast holds; without a broadcast, those on their own. Resends of "spent"
-- ones are over: they are of a day before "young", or had all their attempts. They
-- come first, and nothing else is sorted here: to compare spellings takes long.
SELECT code,
       channel,
       integration_id,
       is_spent,
       array_agg(broadcast_id) AS broadcasts,
       array_agg(number) AS by_broadcast
FROM (
    SELECT error_code AS code,
           channel,
           integration_id,
           day < %(young)s OR attempt_number > %(resend_limit)s AS is_spent,
           broadcast_id,
           sum((count - pruned)::int) AS number
    FROM messaging_tally
    WHERE organization_id = %(organization_id)s
      AND unit = 'message'
      AND outcome = %(outcome)s
      AND day >= %(oldest)s
      AND count > pruned
    GROUP BY 1, 2, 3, 4, 5
) AS line
GROUP BY 1, 2, 3, 4
ORDER BY NOT is_spent
