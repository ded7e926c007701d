-- The same counts for less: a statement that counts nothing ends after a look at its
-- rows, and old and new ones are put side by side by sorting. A join would keep the plan
-- that was made for the first statement of a session, which may have had a single row.
CREATE OR REPLACE FUNCTION messaging_meter_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM old_rows WHERE messaging_is_outcome(state)) THEN
            INSERT INTO messaging_meter AS meter
                (organization_id, series, channel, label, came, gone)
            SELECT organization_id, 'message', channel, state,
                   count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
            FROM (
                SELECT organization_id, channel, state, is_new,
                       min(state) OVER same <> max(state) OVER same AS has_moved
                FROM (
                    SELECT id, organization_id, channel, state, true AS is_new
                    FROM new_rows
                    UNION ALL
                    SELECT id, organization_id, channel, state, false
                    FROM old_rows
                ) AS both_sides
                WINDOW same AS (PARTITION BY id)
            ) AS side_by_side
            WHERE has_moved
              AND messaging_is_outcome(state)
            GROUP BY 1, 3, 4
            ORDER BY 1, 3, 4
            ON CONFLICT (organization_id, series, channel, label)
            DO UPDATE SET came = meter.came + excluded.came,
                          gone = meter.gone + excluded.gone;
            RETURN NULL;
        END IF;
        IF NOT EXISTS (SELECT FROM new_rows WHERE messaging_is_outcome(state)) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO messaging_meter AS meter
            (organization_id, series, channel, label, gone)
        SELECT organization_id, 'message', channel, state, count(*)
        FROM old_rows
        WHERE messaging_is_outcome(state)
        GROUP BY 1, 3, 4
        ORDER BY 1, 3, 4
        ON CONFLICT (organization_id, series, channel, label)
        DO UPDATE SET gone = meter.gone + excluded.gone;
    ELSE
        -- New rows, or rows of which none had an outcome before.
        INSERT INTO messaging_meter AS meter
            (organization_id, series, channel, label, came)
        SELECT organization_id, 'message', channel, state, count(*)
        FROM new_rows
        WHERE messaging_is_outcome(state)
        GROUP BY 1, 3, 4
        ORDER BY 1, 3, 4
        ON CONFLICT (organization_id, series, channel, label)
        DO UPDATE SET came = meter.came + excluded.came;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION messaging_meter_attempts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows WHERE duration_ms IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO messaging_meter AS meter
        (organization_id, series, channel, label, came, milliseconds)
    SELECT organization_id, 'seconds', channel,
           coalesce((ARRAY['50', '100', '250', '500', '1000', '2500', '5000', '10000',
                           '30000', '60000'])
                    [1 + width_bucket(
                        duration_ms - 1,
                        ARRAY[50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000]
                    )], 'inf'),
           count(*), sum(duration_ms)
    FROM (
        SELECT organization_id, channel, duration_ms, is_new,
               count(duration_ms) OVER (PARTITION BY id) AS known
        FROM (
            SELECT id, organization_id, channel, duration_ms, true AS is_new
            FROM new_rows
            UNION ALL
            SELECT id, organization_id, channel, duration_ms, false
            FROM old_rows
        ) AS both_sides
    ) AS side_by_side
    WHERE is_new
      AND duration_ms IS NOT NULL
      AND known = 1
    GROUP BY 1, 3, 4
    ORDER BY 1, 3, 4
    ON CONFLICT (organization_id, series, channel, label)
    DO UPDATE SET came = meter.came + excluded.came,
                  milliseconds = meter.milliseconds + excluded.milliseconds;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION messaging_count_recoveries() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO messaging_recovery AS recovery
            (organization_id, broadcast_id, day, channel, integration_id,
             resend_number, bucket, pruned, pruned_credits)
        SELECT organization_id, broadcast_id, day, channel, integration_id,
               recovered_by, messaging_recovery_bucket(recovered_in), count(*),
               sum(recovered_for)
        FROM old_rows
        WHERE recovered_by IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (organization_id, broadcast_id, day, channel, integration_id,
                     resend_number, bucket)
        DO UPDATE SET pruned = recovery.pruned + excluded.pruned,
                      pruned_credits =
                          recovery.pruned_credits + excluded.pruned_credits;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_recovery AS recovery
            (organization_id, broadcast_id, day, channel, integration_id,
             resend_number, bucket, count, credits)
        SELECT organization_id, broadcast_id, day, channel, integration_id,
               recovered_by, messaging_recovery_bucket(recovered_in), count(*),
               sum(recovered_for)
        FROM new_rows
        WHERE recovered_by IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (organization_id, broadcast_id, day, channel, integration_id,
                     resend_number, bucket)
        DO UPDATE SET count = recovery.count + excluded.count,
                      credits = recovery.credits + excluded.credits;
    ELSIF EXISTS (SELECT FROM new_rows WHERE recovered_by IS NOT NULL)
        OR EXISTS (SELECT FROM old_rows WHERE recovered_by IS NOT NULL)
    THEN
        INSERT INTO messaging_recovery AS recovery
            (organization_id, broadcast_id, day, channel, integration_id,
             resend_number, bucket, count, credits)
        SELECT organization_id, broadcast_id, day, channel, integration_id,
               recovered_by, bucket, sum(step), sum(step * recovered_for)
        FROM (
            SELECT organization_id, broadcast_id, day, channel, integration_id,
                   recovered_by, messaging_recovery_bucket(recovered_in) AS bucket,
                   recovered_for, 1 AS step
            FROM new_rows
            WHERE recovered_by IS NOT NULL
            UNION ALL
            SELECT organization_id, broadcast_id, day, channel, integration_id,
                   recovered_by, messaging_recovery_bucket(recovered_in),
                   recovered_for, -1
            FROM old_rows
            WHERE recovered_by IS NOT NULL
        ) AS changes
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        HAVING sum(step) <> 0 OR sum(step * recovered_for) <> 0
        ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (organization_id, broadcast_id, day, channel, integration_id,
                     resend_number, bucket)
        DO UPDATE SET count = recovery.count + excluded.count,
                      credits = recovery.credits + excluded.credits;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION messaging_count_bulk_outcomes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO messaging_bulkresendoutcome AS outcome
            (bulk_id, integration_id, cause_code, state, pruned)
        SELECT bulk_id, integration_id, cause_code, state, count(*)
        FROM old_rows
        WHERE bulk_id IS NOT NULL
          AND state <> 'open'
          AND error_code <> 'resend_admin:not_sent'
        GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4
        ON CONFLICT (bulk_id, integration_id, cause_code, state)
        DO UPDATE SET pruned = outcome.pruned + excluded.pruned;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM new_rows WHERE bulk_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO messaging_bulkresendoutcome AS outcome
        (bulk_id, integration_id, cause_code, state, count)
    SELECT bulk_id, integration_id, cause_code, state, sum(step)
    FROM (
        SELECT bulk_id, integration_id, cause_code, state, 1 AS step
        FROM new_rows
        WHERE bulk_id IS NOT NULL
          AND state <> 'open'
          AND error_code <> 'resend_admin:not_sent'
        UNION ALL
        SELECT bulk_id, integration_id, cause_code, state, -1
        FROM old_rows
        WHERE bulk_id IS NOT NULL
          AND state <> 'open'
          AND error_code <> 'resend_admin:not_sent'
    ) AS changes
    GROUP BY 1, 2, 3, 4
    HAVING sum(step) <> 0
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (bulk_id, integration_id, cause_code, state)
    DO UPDATE SET count = outcome.count + excluded.count;
    RETURN NULL;
END $$;
