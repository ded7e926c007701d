-- What became of the tries that a bulk resend asked for, by the error they answer.
-- What never left is no try.
CREATE FUNCTION messaging_count_bulk_outcomes() RETURNS trigger
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

CREATE TRIGGER messaging_attempt_in_bulk_change
AFTER UPDATE ON messaging_attempt
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_bulk_outcomes();

CREATE TRIGGER messaging_attempt_in_bulk_gone
AFTER DELETE ON messaging_attempt REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_bulk_outcomes();
