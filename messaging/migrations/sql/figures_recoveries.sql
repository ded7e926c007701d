-- When a person was first not reached: kept with the first failure, whoever writes it.
CREATE FUNCTION messaging_note_first_failure() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.first_failed_at := coalesce(NEW.state_at, now());
    RETURN NEW;
END $$;

CREATE TRIGGER messaging_message_first_failure
BEFORE INSERT OR UPDATE OF state ON messaging_message
FOR EACH ROW
WHEN (NEW.first_failed_at IS NULL AND NEW.state IN ('failed', 'unknown'))
EXECUTE FUNCTION messaging_note_first_failure();

-- The place of a duration on a logarithmic scale: 0 below a tenth of a second, then
-- each bucket a tenth longer than the one before.
CREATE FUNCTION messaging_recovery_bucket(seconds double precision)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN seconds < 0.1 THEN 0
            ELSE 1 + floor(ln(seconds / 0.1) / ln(1.1))::integer END;

-- Messages that arrived after a failure. Most statements recover nobody, and then
-- this writes nothing. Rows are written in the order of the key.
CREATE FUNCTION messaging_count_recoveries() RETURNS trigger
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
    ELSE
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

CREATE TRIGGER messaging_message_recovers_new
AFTER INSERT ON messaging_message REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_recoveries();

CREATE TRIGGER messaging_message_recovers_change
AFTER UPDATE ON messaging_message
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_recoveries();

CREATE TRIGGER messaging_message_recovers_gone
AFTER DELETE ON messaging_message REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_recoveries();
