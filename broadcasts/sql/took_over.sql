-- Where the members of a retry stood before it: their latest row in the chain that
-- was not taken back, or that of a first run that was. Members whom the retry itself
-- gave back are left out; those who were in no run before it stand as new.
SELECT before.broadcast_id,
       before.state,
       before.code,
       count(*) AS number
FROM messaging_message AS made
CROSS JOIN LATERAL (
    SELECT run.broadcast_id, run.state,
           CASE WHEN run.state IN ('skipped', 'cancelled') THEN run.reason
                ELSE run.error_code END AS code
    FROM (
        SELECT * FROM messaging_message WHERE id = made.root_id
        UNION ALL
        SELECT * FROM messaging_message WHERE root_id = made.root_id
    ) AS run
    WHERE run.id < made.id
      AND (run.state <> 'cancelled' OR run.root_id IS NULL)
    ORDER BY run.id DESC
    LIMIT 1
) AS before
WHERE made.broadcast_id = %(broadcast_id)s
  AND (made.state <> 'cancelled' OR made.reason = 'already_reached')
GROUP BY 1, 2, 3
UNION ALL
SELECT broadcast_id, 'new', '', count(*)
FROM messaging_message
WHERE broadcast_id = %(broadcast_id)s
  AND root_id IS NULL
  AND state <> 'cancelled'
GROUP BY 1
ORDER BY 1, 2, 3
