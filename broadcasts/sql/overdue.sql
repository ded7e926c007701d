-- Broadcasts that are due and whose rows do not all wait in a queue yet, the longest
-- wait first. One that has started moves with each page of rows.
(
    SELECT id, name, organization_id, false AS has_started,
           run_at AS since, statement_timestamp() AS now
    FROM broadcasts_broadcast
    WHERE state = 'scheduled'
      AND run_at <= statement_timestamp()
      AND (%(organization_id)s::bigint IS NULL
           OR organization_id = %(organization_id)s)
    ORDER BY run_at
    LIMIT %(most)s
)
UNION ALL
(
    SELECT broadcast.id, broadcast.name, broadcast.organization_id, true,
           {waits_since},
           statement_timestamp()
    FROM broadcasts_broadcast AS broadcast
    LEFT JOIN messaging_pulse AS pulse ON pulse.id = 1
    CROSS JOIN LATERAL (
        SELECT greatest(broadcast.started_at, broadcast.filled_at) AS at
    ) AS moved
    WHERE broadcast.state = 'sending'
      AND NOT broadcast.is_filled
      AND (%(organization_id)s::bigint IS NULL
           OR broadcast.organization_id = %(organization_id)s)
    ORDER BY 5
    LIMIT %(most)s
)
