-- What is kept of everything that stands so: of each spelling, way and age, how many
-- each broadcast holds; under 0 those on their own. A broadcast is named once for each
-- of its days and attempts. Resends of "spent" ones are over: they are of a day before
-- "young", or had all their attempts.
--
-- One text stands for all that they are told apart by. By four columns PostgreSQL
-- expects as many groups as rows, and mostly sorts them, spelling by spelling, which
-- takes twice as long; of a text it knows nothing, expects 200 groups and hashes it.
SELECT way,
       array_agg(broadcast_id) AS broadcasts,
       array_agg(number) AS by_broadcast
FROM (
    SELECT (day < %(young)s OR attempt_number > %(resend_limit)s)::text
               || ' ' || channel
               || ' ' || coalesce(integration_id::text, '')
               || ' ' || error_code AS way,
           coalesce(broadcast_id, 0) AS broadcast_id,
           (count - pruned)::int AS number
    FROM messaging_tally
    WHERE organization_id = %(organization_id)s
      AND unit = 'message'
      AND outcome = %(outcome)s
      AND day >= %(oldest)s
      AND count > pruned
    OFFSET 0
) AS line
GROUP BY way
