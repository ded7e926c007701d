-- Messages count by the tries that they really had: what was given back, because it
-- never left or because the provider refused our credentials, tried nobody. Takes the
-- place of the function of figures_tally_messages.sql.
LOCK TABLE messaging_message IN SHARE MODE;

CREATE OR REPLACE FUNCTION messaging_tally_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, first_day, channel,
             integration_id, attempt_number, outcome, error_class, error_code,
             cause_code, reached_before, count)
        SELECT organization_id, broadcast_id, 'message', day, first_day, channel,
               integration_id, attempt_count - given_back, state, error_class,
               messaging_tally_code(state, reason, error_code),
               earlier_error, reached_before, count(*)
        FROM new_rows
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
                     integration_id, attempt_number, outcome, error_class, error_code,
                     cause_code, reached_before)
        DO UPDATE SET count = tally.count + excluded.count;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, first_day, channel,
             integration_id, attempt_number, outcome, error_class, error_code,
             cause_code, reached_before, count)
        SELECT organization_id, broadcast_id, 'message', day, first_day, channel,
               integration_id, tries, state, error_class, code,
               earlier_error, reached_before, sum(step)
        FROM (
            SELECT organization_id, broadcast_id, day, first_day, channel,
                   integration_id, attempt_count - given_back AS tries, state,
                   error_class, messaging_tally_code(state, reason, error_code) AS code,
                   earlier_error, reached_before, 1 AS step
            FROM new_rows
            UNION ALL
            SELECT organization_id, broadcast_id, day, first_day, channel,
                   integration_id, attempt_count - given_back, state,
                   error_class, messaging_tally_code(state, reason, error_code),
                   earlier_error, reached_before, -1
            FROM old_rows
        ) AS changes
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        HAVING sum(step) <> 0
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
                     integration_id, attempt_number, outcome, error_class, error_code,
                     cause_code, reached_before)
        DO UPDATE SET count = tally.count + excluded.count;
    ELSE
        INSERT INTO messaging_tally AS tally
            (organization_id, broadcast_id, unit, day, first_day, channel,
             integration_id, attempt_number, outcome, error_class, error_code,
             cause_code, reached_before, pruned)
        SELECT organization_id, broadcast_id, 'message', day, first_day, channel,
               integration_id, attempt_count - given_back, state, error_class,
               messaging_tally_code(state, reason, error_code),
               earlier_error, reached_before, count(*)
        FROM old_rows
        GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
        ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
                     integration_id, attempt_number, outcome, error_class, error_code,
                     cause_code, reached_before)
        DO UPDATE SET pruned = tally.pruned + excluded.pruned;
    END IF;
    RETURN NULL;
END $$;

-- What stands by a number that holds such tries moves to its own. Nobody writes since
-- the lock: the old function would count at the old place what the new one looks for
-- at the new one.
INSERT INTO messaging_tally AS tally
    (organization_id, broadcast_id, unit, day, first_day, channel, integration_id,
     attempt_number, outcome, error_class, error_code, cause_code, reached_before, count)
SELECT organization_id, broadcast_id, 'message', day, first_day, channel, integration_id,
       place.number, state, error_class,
       messaging_tally_code(state, reason, error_code), earlier_error, reached_before,
       sum(place.step)
FROM messaging_message
CROSS JOIN LATERAL (
    VALUES (attempt_count, -1), (attempt_count - given_back, 1)
) AS place (number, step)
WHERE given_back > 0
GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
HAVING sum(place.step) <> 0
ORDER BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
             integration_id, attempt_number, outcome, error_class, error_code,
             cause_code, reached_before)
DO UPDATE SET count = tally.count + excluded.count;
