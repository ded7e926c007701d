-- Attempts count under their number along the chain, by integration and by the
-- error they answer. Takes the place of the function of tally_counts_attempts.sql.
CREATE OR REPLACE FUNCTION messaging_tally_attempts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, channel, integration_id,
             attempt_number, outcome, error_class, error_code, cause_code,
             reached_before, pruned)
        SELECT organization_id, broadcast_id, 'attempt', day, channel, integration_id,
               chain_offset + number, state, error_class, error_code, cause_code,
               false, count(*)
        FROM old_rows
        WHERE state <> 'open'
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
        ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
                     integration_id, attempt_number, outcome, error_class, error_code,
                     cause_code, reached_before)
        DO UPDATE SET pruned = tally.pruned + excluded.pruned;
        RETURN NULL;
    END IF;
    INSERT INTO messaging_tally AS tally
        (organization_id, broadcast_id, unit, day, channel, integration_id,
         attempt_number, outcome, error_class, error_code, cause_code,
         reached_before, count)
    SELECT organization_id, broadcast_id, 'attempt', day, channel, integration_id,
           number, state, error_class, error_code, cause_code, false, sum(step)
    FROM (
        SELECT organization_id, broadcast_id, day, channel, integration_id,
               chain_offset + number AS number, state, error_class, error_code,
               cause_code, 1 AS step
        FROM new_rows
        WHERE state <> 'open'
        UNION ALL
        SELECT organization_id, broadcast_id, day, channel, integration_id,
               chain_offset + number, state, error_class, error_code,
               cause_code, -1
        FROM old_rows
        WHERE state <> 'open'
    ) AS changes
    GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
    HAVING sum(step) <> 0
    ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
    ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
                 integration_id, attempt_number, outcome, error_class, error_code,
                 cause_code, reached_before)
    DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END $$;
