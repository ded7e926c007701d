-- Where the members of a retry stood before it: their latest row in the chain that
-- was not taken back, or that of a first run that was. Members whom the retry itself
-- gave back are left out; those who were in no run before it stand as new. Members who
-- are written down and have no row yet stand where they would be taken from.
WITH member AS (
    SELECT id, root_id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND (state <> 'cancelled' OR reason = 'already_reached')
    UNION ALL
    SELECT NULL, coalesce(source.root_id, source.id)
    FROM broadcasts_frozenmembers AS frozen
    CROSS JOIN LATERAL unnest(frozen.message_ids) AS chosen (id)
    CROSS JOIN LATERAL (
        SELECT id, root_id
        FROM messaging_message
        WHERE id = chosen.id
        LIMIT 1
    ) AS source
    WHERE frozen.broadcast_id = %(broadcast_id)s
)
SELECT before.broadcast_id,
       before.state,
       before.code,
       count(*) AS number
FROM member
CROSS JOIN LATERAL (
    SELECT run.broadcast_id, run.state,
           CASE WHEN run.state IN ('skipped', 'cancelled') THEN run.reason
                ELSE run.error_code END AS code
    FROM (
        SELECT * FROM messaging_message WHERE id = member.root_id
        UNION ALL
        SELECT * FROM messaging_message WHERE root_id = member.root_id
    ) AS run
    WHERE (run.id < member.id OR member.id IS NULL)
      AND (run.state <> 'cancelled' OR run.root_id IS NULL)
    ORDER BY run.id DESC
    LIMIT 1
) AS before
GROUP BY 1, 2, 3
UNION ALL
SELECT broadcast_id, 'new', '', count(*)
FROM messaging_message
WHERE broadcast_id = %(broadcast_id)s
  AND root_id IS NULL
  AND state <> 'cancelled'
GROUP BY 1
ORDER BY 1, 2, 3
