-- What is kept of everything that stands so, one line per spelling. Resends of "spent"
-- ones are over: they are of a day before "young", or had all their attempts. Whoever
-- a later run took over does not count; the oldest of them are taken off first.
--
-- One look at the tallies gives both sums, by way and by broadcast; few broadcasts have
-- lost anybody to a later run, and those are looked at once more, line by line. The
-- broadcasts of a spelling come with the most first.
WITH taken AS (
    SELECT *
    FROM unnest(
        %(taken_from)s::bigint[], %(taken_codes)s::text[], %(taken)s::bigint[]
    ) AS taken (broadcast_id, code, number)
),
whole AS MATERIALIZED (
    SELECT error_code AS code,
           broadcast_id,
           channel,
           integration_id,
           day < %(young)s OR attempt_number > %(resend_limit)s AS is_spent,
           grouping(channel) = 0 AS is_by_way,
           sum((count - pruned)::int) AS number
    FROM messaging_tally
    WHERE organization_id = %(organization_id)s
      AND unit = 'message'
      AND outcome = %(outcome)s
      AND day >= %(oldest)s
      AND count > pruned
      AND NOT EXISTS (
          SELECT FROM taken
          WHERE taken.broadcast_id = messaging_tally.broadcast_id
            AND taken.code = error_code
      )
    GROUP BY GROUPING SETS ((1, 2), (1, 3, 4, 5))
),
rest AS MATERIALIZED (
    SELECT code, broadcast_id, channel, integration_id, is_spent,
           least(
               line.number,
               sum(line.number) OVER (
                   PARTITION BY broadcast_id, code
                   ORDER BY is_spent DESC, channel, integration_id
                   ROWS UNBOUNDED PRECEDING
               ) - line.taken
           )::bigint AS number
    FROM (
        SELECT error_code AS code,
               tally.broadcast_id,
               channel,
               integration_id,
               day < %(young)s OR attempt_number > %(resend_limit)s AS is_spent,
               max(taken.number) AS taken,
               sum((count - pruned)::int) AS number
        FROM taken
        JOIN messaging_tally AS tally
          ON tally.broadcast_id = taken.broadcast_id AND tally.error_code = taken.code
        WHERE organization_id = %(organization_id)s
          AND unit = 'message'
          AND outcome = %(outcome)s
          AND day >= %(oldest)s
          AND count > pruned
        GROUP BY 1, 2, 3, 4, 5
    ) AS line
),
ways AS (
    SELECT code,
           array_agg(channel) AS channels,
           array_agg(integration_id) AS integrations,
           array_agg(number) AS by_way,
           sum(number) AS number,
           sum(spent) AS spent
    FROM (
        SELECT code, channel, integration_id,
               sum(number)::bigint AS number,
               coalesce(sum(number) FILTER (WHERE is_spent), 0)::bigint AS spent
        FROM (
            SELECT code, channel, integration_id, is_spent, number
            FROM whole
            WHERE is_by_way
            UNION ALL
            SELECT code, channel, integration_id, is_spent, number
            FROM rest
            WHERE number > 0
        ) AS every
        GROUP BY 1, 2, 3
    ) AS way
    GROUP BY 1
),
places AS (
    SELECT code,
           array_agg(broadcast_id) AS broadcasts,
           array_agg(number) AS by_broadcast
    FROM (
        SELECT code, broadcast_id, number
        FROM whole
        WHERE NOT is_by_way
          AND broadcast_id IS NOT NULL
        UNION ALL
        SELECT code, broadcast_id, sum(number)::bigint
        FROM rest
        WHERE number > 0
        GROUP BY 1, 2
        ORDER BY number DESC, broadcast_id DESC
    ) AS place
    GROUP BY 1
)
SELECT ways.code,
       ways.number::bigint,
       ways.spent::bigint,
       ways.channels,
       ways.integrations,
       ways.by_way,
       coalesce(places.broadcasts, '{}'),
       coalesce(places.by_broadcast, '{}')
FROM ways
LEFT JOIN places USING (code)
ORDER BY ways.code
