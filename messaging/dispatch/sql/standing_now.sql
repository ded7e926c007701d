-- What waits or is under way right now, by partial indexes and up to a bound.
SELECT (SELECT count(*) FROM (
            SELECT FROM messaging_attempt WHERE state = 'open' LIMIT %(most)s
        ) AS open_ones) AS attempts_open,
       (SELECT count(*) FROM (
            SELECT FROM messaging_receipt WHERE applied_at IS NULL LIMIT %(most)s
        ) AS waiting) AS receipts_waiting,
       (SELECT coalesce(greatest(0, extract(
            epoch FROM clock_timestamp() - min(due.due_at))), 0)::float
        FROM messaging_integration AS integration
        CROSS JOIN unnest(%(priorities)s::smallint[]) AS kind (priority)
        CROSS JOIN LATERAL (
            SELECT message.due_at
            FROM messaging_message AS message
            WHERE message.integration_id = integration.id
              AND message.priority = kind.priority
              AND message.state = 'queued'
            ORDER BY message.due_at
            LIMIT 1
        ) AS due) AS oldest_due_seconds,
       (SELECT extract(epoch FROM clock_timestamp() - beaten_at)::float
        FROM messaging_pulse WHERE id = 1) AS pulse_seconds
