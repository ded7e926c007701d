-- Attempts count once they are closed; opening one counts nothing, so a claim
-- never waits for the tallies of a settle. Attempts go only with their message.
CREATE FUNCTION messaging_tally_attempts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, channel, attempt_number,
             outcome, error_class, error_code, reached_before, pruned)
        SELECT organization_id, broadcast_id, 'attempt', day, channel, number, state,
               error_class, error_code, false, count(*)
        FROM old_rows
        WHERE state <> 'open'
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9
        ON CONFLICT (organization_id, broadcast_id, unit, day, channel,
                     attempt_number, outcome, error_class, error_code, reached_before)
        DO UPDATE SET pruned = tally.pruned + excluded.pruned;
        RETURN NULL;
    END IF;
    INSERT INTO messaging_tally AS tally
        (organization_id, broadcast_id, unit, day, channel, attempt_number,
         outcome, error_class, error_code, reached_before, count)
    SELECT organization_id, broadcast_id, 'attempt', day, channel, number, state,
           error_class, error_code, false, sum(step)
    FROM (
        SELECT organization_id, broadcast_id, day, channel, number, state,
               error_class, error_code, 1 AS step
        FROM new_rows
        WHERE state <> 'open'
        UNION ALL
        SELECT organization_id, broadcast_id, day, channel, number, state,
               error_class, error_code, -1
        FROM old_rows
        WHERE state <> 'open'
    ) AS changes
    GROUP BY 1, 2, 4, 5, 6, 7, 8, 9
    HAVING sum(step) <> 0
    ORDER BY 1, 2, 4, 5, 6, 7, 8, 9
    ON CONFLICT (organization_id, broadcast_id, unit, day, channel,
                 attempt_number, outcome, error_class, error_code, reached_before)
    DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_attempt_counts_change
AFTER UPDATE ON messaging_attempt
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_tally_attempts();

CREATE TRIGGER messaging_attempt_counts_gone
AFTER DELETE ON messaging_attempt REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_tally_attempts();

-- An attempt is born open. Anything else would escape the tallies.
CREATE FUNCTION messaging_attempt_born_open() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' THEN
        RAISE EXCEPTION 'An attempt is opened first and closed later.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER messaging_attempt_is_born_open
BEFORE INSERT ON messaging_attempt
FOR EACH ROW EXECUTE FUNCTION messaging_attempt_born_open();
