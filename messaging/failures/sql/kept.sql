-- What is kept of everything that stands so, one line per spelling. Resends of "spent"
-- ones are over: they are of a day before "young", or had all their attempts. Whoever
-- a later run took over does not count; the oldest of them are taken off first.
WITH lines AS (
    SELECT broadcast_id,
           error_code AS code,
           channel,
           integration_id,
           day < %(young)s OR attempt_number > %(resend_limit)s AS is_spent,
           sum((count - pruned)::int) AS number
    FROM messaging_tally
    WHERE organization_id = %(organization_id)s
      AND unit = 'message'
      AND outcome = %(outcome)s
      AND day >= %(oldest)s
      AND count > pruned
    GROUP BY 1, 2, 3, 4, 5
),
taken AS (
    SELECT *
    FROM unnest(
        %(taken_from)s::bigint[], %(taken_codes)s::text[], %(taken)s::bigint[]
    ) AS taken (broadcast_id, code, number)
),
rest AS MATERIALIZED (
    -- Few have lost anybody to a later run: the window is for those alone.
    SELECT code, channel, integration_id, broadcast_id, is_spent,
           false AS is_about, number
    FROM lines
    WHERE NOT EXISTS (
        SELECT FROM taken
        WHERE taken.broadcast_id = lines.broadcast_id
          AND taken.code = lines.code
    )
    UNION ALL
    SELECT code, channel, integration_id, broadcast_id, is_spent, true,
           least(
               lines.number,
               sum(lines.number) OVER (
                   PARTITION BY lines.broadcast_id, lines.code
                   ORDER BY lines.is_spent DESC, lines.channel, lines.integration_id
                   ROWS UNBOUNDED PRECEDING
               ) - taken.number
           )::bigint
    FROM lines
    JOIN taken USING (broadcast_id, code)
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
        FROM rest
        WHERE number > 0
        GROUP BY 1, 2, 3
    ) AS way
    GROUP BY 1
),
places AS (
    SELECT code,
           array_agg(broadcast_id) AS broadcasts,
           array_agg(number) AS by_broadcast,
           array_agg(is_about) AS are_about
    FROM (
        SELECT code, broadcast_id,
               sum(number)::bigint AS number,
               bool_or(is_about) AS is_about
        FROM rest
        WHERE number > 0
          AND broadcast_id IS NOT NULL
        GROUP BY 1, 2
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
       coalesce(places.by_broadcast, '{}'),
       coalesce(places.are_about, '{}')
FROM ways
LEFT JOIN places USING (code)
ORDER BY ways.code
