-- What waits or is under way right now, by partial indexes and up to a bound.
SELECT (SELECT count(*) FROM (
            SELECT FROM messaging_attempt WHERE state = 'open' LIMIT %(most)s
        ) AS open_ones) AS attempts_open,
       (SELECT count(*) FROM (
            SELECT FROM messaging_receipt WHERE applied_at IS NULL LIMIT %(most)s
        ) AS waiting) AS receipts_waiting,
       (SELECT coalesce(greatest(0, extract(
            epoch FROM clock_timestamp() - min((
                /* as in first_due.sql */
            )))), 0)::float
        FROM messaging_integration AS integration) AS oldest_due_seconds,
       (SELECT extract(epoch FROM clock_timestamp() - beaten_at)::float
        FROM messaging_pulse WHERE id = 1) AS pulse_seconds
