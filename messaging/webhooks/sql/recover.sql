-- The next batch of a frozen set: due again, after everything that is new.
WITH failed AS MATERIALIZED (
    SELECT delivery.id, delivery.created_at, delivery.finished_at
    FROM messaging_webhookdelivery AS delivery
    WHERE delivery.endpoint_id = %(endpoint_id)s
      AND delivery.state = 'failed'
      AND delivery.created_at >= %(from_moment)s
      AND delivery.created_at <= %(frozen_at)s
      AND (delivery.created_at, delivery.id) > (%(from_moment)s, %(after_id)s)
    ORDER BY delivery.created_at, delivery.id
    LIMIT %(limit)s
    FOR UPDATE
),
again AS (
    UPDATE messaging_webhookdelivery AS delivery
    SET state = 'waiting',
        due_at = clock_timestamp(),
        finished_at = NULL,
        run_tries = 0,
        priority = %(priority)s,
        asked_by_name = %(asked_by_name)s
    FROM failed
    WHERE delivery.id = failed.id
      AND failed.finished_at <= %(frozen_at)s
    RETURNING delivery.id
)
SELECT (SELECT count(*) FROM failed) AS seen,
       (SELECT count(*) FROM again) AS again,
       (SELECT created_at FROM failed ORDER BY created_at DESC, id DESC LIMIT 1)
           AS done_to,
       (SELECT id FROM failed ORDER BY created_at DESC, id DESC LIMIT 1) AS done_to_id
