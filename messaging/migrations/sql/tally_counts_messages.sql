-- Skipped and cancelled messages count by their reason, in the place of the error
-- code.
CREATE FUNCTION messaging_tally_code(state text, reason text, error_code text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN state IN ('skipped', 'cancelled') THEN reason ELSE error_code END;

-- Rows are written in the order of the key, so that two transactions that count
-- the same keys wait for each other and never in a circle.
CREATE FUNCTION messaging_tally_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, channel, attempt_number,
             outcome, error_class, error_code, reached_before, count)
        SELECT organization_id, broadcast_id, 'message', day, channel, attempt_count,
               state, error_class,
               messaging_tally_code(state, reason, error_code),
               reached_before, count(*)
        FROM new_rows
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        ON CONFLICT (organization_id, broadcast_id, unit, day, channel,
                     attempt_number, outcome, error_class, error_code, reached_before)
        DO UPDATE SET count = tally.count + excluded.count;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, channel, attempt_number,
             outcome, error_class, error_code, reached_before, count)
        SELECT organization_id, broadcast_id, 'message', day, channel, attempt_count,
               state, error_class, code, reached_before, sum(step)
        FROM (
            SELECT organization_id, broadcast_id, day, channel, attempt_count, state,
                   error_class,
                   messaging_tally_code(state, reason, error_code) AS code,
                   reached_before, 1 AS step
            FROM new_rows
            UNION ALL
            SELECT organization_id, broadcast_id, day, channel, attempt_count, state,
                   error_class,
                   messaging_tally_code(state, reason, error_code),
                   reached_before, -1
            FROM old_rows
        ) AS changes
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        HAVING sum(step) <> 0
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        ON CONFLICT (organization_id, broadcast_id, unit, day, channel,
                     attempt_number, outcome, error_class, error_code, reached_before)
        DO UPDATE SET count = tally.count + excluded.count;
    ELSE
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, channel, attempt_number,
             outcome, error_class, error_code, reached_before, pruned)
        SELECT organization_id, broadcast_id, 'message', day, channel, attempt_count,
               state, error_class,
               messaging_tally_code(state, reason, error_code),
               reached_before, count(*)
        FROM old_rows
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10
        ON CONFLICT (organization_id, broadcast_id, unit, day, channel,
                     attempt_number, outcome, error_class, error_code, reached_before)
        DO UPDATE SET pruned = tally.pruned + excluded.pruned;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_message_counts_new
AFTER INSERT ON messaging_message REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_tally_messages();

CREATE TRIGGER messaging_message_counts_change
AFTER UPDATE ON messaging_message
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_tally_messages();

CREATE TRIGGER messaging_message_counts_gone
AFTER DELETE ON messaging_message REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_tally_messages();
