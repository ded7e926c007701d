-- What counts as a try. Not what never left, and not what was refused with the
-- credentials: both say nothing about the person or the message, and the message goes
-- back into the queue.
CREATE OR REPLACE FUNCTION messaging_is_try(error_code text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN error_code <> 'resend_admin:not_sent'
   AND right(error_code, 12) <> ':auth_failed';

-- What a tally says to the figures of its day, whatever its broadcast. Waiting messages
-- are not kept by the day: they are few, and every claim would write here.
CREATE OR REPLACE FUNCTION messaging_figures_of(
    unit text, day date, first_day date, attempt_number integer, reached_before boolean,
    outcome text, error_code text, cause_code text
)
RETURNS TABLE (kind text, figure_day date, number integer, result text, code text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT figure.kind, figure.figure_day, figure.number, figure.result, figure.code
    FROM (VALUES
        ('try', day, least(attempt_number, 6),
         CASE outcome WHEN 'read' THEN 'delivered' ELSE outcome END, '',
         unit = 'attempt'),
        ('failure', day, 0, outcome, error_code,
         unit = 'attempt' AND outcome = 'failed'),
        ('answer', day, 0,
         CASE outcome WHEN 'read' THEN 'delivered' ELSE outcome END, cause_code,
         unit = 'attempt' AND cause_code <> ''),
        ('standing', coalesce(first_day, day),
         CASE WHEN first_day IS NULL THEN 0 WHEN reached_before THEN 2 ELSE 1 END,
         CASE
             WHEN outcome IN ('delivered', 'read', 'sent')
                  AND (attempt_number > 1 OR first_day IS NOT NULL)
             THEN CASE outcome WHEN 'sent' THEN 'sent_later' ELSE 'delivered_later' END
             WHEN outcome = 'read' THEN 'delivered'
             ELSE outcome
         END,
         CASE WHEN first_day IS NULL THEN '' ELSE cause_code END,
         unit = 'message' AND outcome NOT IN ('planned', 'queued', 'sending')
             AND error_code <> 'already_reached')
    ) AS figure (kind, figure_day, number, result, code, is_meant)
    WHERE figure.is_meant
      AND (unit = 'message' OR messaging_is_try(error_code))
$$;

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
          AND messaging_is_try(error_code)
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
          AND messaging_is_try(error_code)
        UNION ALL
        SELECT bulk_id, integration_id, cause_code, state, -1
        FROM old_rows
        WHERE bulk_id IS NOT NULL
          AND state <> 'open'
          AND messaging_is_try(error_code)
    ) AS changes
    GROUP BY 1, 2, 3, 4
    HAVING sum(step) <> 0
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (bulk_id, integration_id, cause_code, state)
    DO UPDATE SET count = outcome.count + excluded.count;
    RETURN NULL;
END $$;
