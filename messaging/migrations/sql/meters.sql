-- Counters for metrics. They only grow, in the transaction that changes the rows.
-- A few rows, written all the time: room on their page keeps them in place.
ALTER TABLE messaging_meter SET (fillfactor = 50);

CREATE FUNCTION messaging_is_outcome(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN state IN
    ('sent', 'delivered', 'read', 'failed', 'unknown', 'skipped', 'cancelled');

CREATE FUNCTION messaging_meter_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO messaging_meter AS meter
            (organization_id, series, channel, label, came, gone)
        SELECT organization_id, 'message', channel, state, sum(came), sum(gone)
        FROM (
            SELECT moved.organization_id, step.channel, step.state, step.came,
                   step.gone
            FROM (
                SELECT after_it.organization_id, after_it.channel AS channel_now,
                       after_it.state AS state_now, before_it.channel AS channel_before,
                       before_it.state AS state_before
                FROM new_rows AS after_it
                JOIN old_rows AS before_it USING (id)
                WHERE after_it.state <> before_it.state
            ) AS moved
            CROSS JOIN LATERAL (VALUES
                (moved.channel_now, moved.state_now, 1, 0),
                (moved.channel_before, moved.state_before, 0, 1)
            ) AS step (channel, state, came, gone)
            WHERE messaging_is_outcome(step.state)
        ) AS steps
        GROUP BY 1, 3, 4
        ORDER BY 1, 3, 4
        ON CONFLICT (organization_id, series, channel, label)
        DO UPDATE SET came = meter.came + excluded.came,
                      gone = meter.gone + excluded.gone;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_meter AS meter
            (organization_id, series, channel, label, came)
        SELECT organization_id, 'message', channel, state, count(*)
        FROM new_rows
        WHERE messaging_is_outcome(state)
        GROUP BY 1, 3, 4
        ORDER BY 1, 3, 4
        ON CONFLICT (organization_id, series, channel, label)
        DO UPDATE SET came = meter.came + excluded.came;
    ELSE
        INSERT INTO messaging_meter AS meter
            (organization_id, series, channel, label, gone)
        SELECT organization_id, 'message', channel, state, count(*)
        FROM old_rows
        WHERE messaging_is_outcome(state)
        GROUP BY 1, 3, 4
        ORDER BY 1, 3, 4
        ON CONFLICT (organization_id, series, channel, label)
        DO UPDATE SET gone = meter.gone + excluded.gone;
    END IF;
    RETURN NULL;
END $$;

-- Named to fire after the tallies, whose rows are locked first everywhere.
CREATE TRIGGER messaging_message_meters_new
AFTER INSERT ON messaging_message REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_meter_messages();

CREATE TRIGGER messaging_message_meters_change
AFTER UPDATE ON messaging_message
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_meter_messages();

CREATE TRIGGER messaging_message_meters_gone
AFTER DELETE ON messaging_message REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_meter_messages();

-- How long attempts took, in the buckets of a histogram; an attempt counts when its
-- duration becomes known, whether the answer or a receipt closed it.
CREATE FUNCTION messaging_meter_attempts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO messaging_meter AS meter
        (organization_id, series, channel, label, came, milliseconds)
    SELECT after_it.organization_id, 'seconds', after_it.channel,
           coalesce((ARRAY['50', '100', '250', '500', '1000', '2500', '5000', '10000',
                           '30000', '60000'])
                    [1 + width_bucket(
                        after_it.duration_ms - 1,
                        ARRAY[50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000]
                    )], 'inf'),
           count(*), sum(after_it.duration_ms)
    FROM new_rows AS after_it
    JOIN old_rows AS before_it USING (id)
    WHERE after_it.duration_ms IS NOT NULL
      AND before_it.duration_ms IS NULL
    GROUP BY 1, 3, 4
    ORDER BY 1, 3, 4
    ON CONFLICT (organization_id, series, channel, label)
    DO UPDATE SET came = meter.came + excluded.came,
                  milliseconds = meter.milliseconds + excluded.milliseconds;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_attempt_meters_change
AFTER UPDATE ON messaging_attempt
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_meter_attempts();

-- What stands there already, so that nothing falls below zero.
INSERT INTO messaging_meter
    (organization_id, series, channel, label, came, gone)
SELECT organization_id, 'message', channel, outcome, sum(count), sum(pruned)
FROM messaging_tally
WHERE unit = 'message'
  AND messaging_is_outcome(outcome)
GROUP BY 1, 3, 4;
