-- Take what is due, for each endpoint as much as there is room for. An endpoint
-- that fails gets one at a time until something arrives again, and the room that is
-- left is shared out evenly, so that none waits for the slowness of another.
WITH open AS MATERIALIZED (
    SELECT endpoint.id, endpoint.url,
           CASE
               WHEN health.failing_since IS NOT NULL THEN 1
               ELSE coalesce(quick.room, %(usual_room)s)
           END
               - (
                   SELECT count(*)
                   FROM messaging_webhookdelivery AS held
                   WHERE held.endpoint_id = endpoint.id
                     AND held.state = 'sending'
               ) AS room
    FROM messaging_webhookhealth AS health
    JOIN messaging_webhookendpoint AS endpoint ON endpoint.id = health.endpoint_id
    LEFT JOIN unnest(%(quick_ids)s::bigint[], %(quick_rooms)s::int[])
        AS quick (endpoint_id, room) ON quick.endpoint_id = endpoint.id
    WHERE endpoint.state = 'on'
      AND (health.paused_until IS NULL OR health.paused_until <= clock_timestamp())
      AND EXISTS (
          SELECT FROM messaging_webhookdelivery AS delivery
          WHERE delivery.endpoint_id = endpoint.id
            AND delivery.state = 'waiting'
            AND delivery.due_at <= clock_timestamp()
      )
    ORDER BY random()
    LIMIT %(capacity)s
    FOR NO KEY UPDATE OF health SKIP LOCKED
),
shared AS (
    SELECT id, url,
           least(room, greatest(1, %(capacity)s / count(*) OVER ())) AS room
    FROM open
    WHERE room > 0
),
due AS MATERIALIZED (
    SELECT delivery.id, shared.url
    FROM shared
    CROSS JOIN LATERAL (
        SELECT waiting.id
        FROM messaging_webhookdelivery AS waiting
        WHERE waiting.endpoint_id = shared.id
          AND waiting.state = 'waiting'
          AND waiting.due_at <= clock_timestamp()
        ORDER BY waiting.priority, waiting.due_at, waiting.id
        LIMIT shared.room
        FOR UPDATE SKIP LOCKED
    ) AS delivery
    LIMIT %(capacity)s
),
taken AS (
    UPDATE messaging_webhookdelivery AS delivery
    SET state = 'sending',
        claim = %(holder)s,
        claimed_until = clock_timestamp() + %(seconds)s * interval '1 second',
        try_count = delivery.try_count + 1,
        run_tries = delivery.run_tries + 1
    FROM due
    WHERE delivery.id = due.id
      AND delivery.state = 'waiting'
    RETURNING delivery.id, delivery.endpoint_id, delivery.event_id,
              delivery.try_count, delivery.run_tries, due.url
)
SELECT taken.id, taken.endpoint_id, taken.try_count, taken.run_tries, taken.url,
       taken.event_id, event.suffix, event.type, event.data, event.created_at
FROM taken
JOIN messaging_webhookevent AS event ON event.id = taken.event_id
