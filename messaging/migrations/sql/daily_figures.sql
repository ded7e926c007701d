-- What a tally says to the figures of its day, whatever its broadcast. Waiting messages
-- are not kept by the day: they are few, and every claim would write here.
CREATE FUNCTION messaging_figures_of(
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
      AND (unit = 'message' OR error_code <> 'resend_admin:not_sent')
$$;

-- Rows are written in the order of the key, as in the tallies.
CREATE FUNCTION messaging_count_by_day() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_dailyfigure AS daily
            (organization_id, kind, day, channel, integration_id, number, outcome, code,
             count)
        SELECT tally.organization_id, figure.kind, figure.figure_day, tally.channel,
               tally.integration_id, figure.number, figure.result, figure.code,
               sum(tally.count)
        FROM new_rows AS tally
        CROSS JOIN LATERAL messaging_figures_of(
            tally.unit, tally.day, tally.first_day, tally.attempt_number,
            tally.reached_before, tally.outcome, tally.error_code, tally.cause_code
        ) AS figure
        WHERE tally.count <> 0
          AND tally.outcome NOT IN ('planned', 'queued', 'sending')
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (organization_id, kind, day, channel, integration_id, number,
                     outcome, code)
        DO UPDATE SET count = daily.count + excluded.count;
    ELSE
        INSERT INTO messaging_dailyfigure AS daily
            (organization_id, kind, day, channel, integration_id, number, outcome, code,
             count)
        SELECT tally.organization_id, figure.kind, figure.figure_day, tally.channel,
               tally.integration_id, figure.number, figure.result, figure.code,
               sum(tally.count)
        FROM (
            SELECT organization_id, unit, day, first_day, channel, integration_id,
                   attempt_number, reached_before, outcome, error_code, cause_code,
                   count
            FROM new_rows
            WHERE outcome NOT IN ('planned', 'queued', 'sending')
            UNION ALL
            SELECT organization_id, unit, day, first_day, channel, integration_id,
                   attempt_number, reached_before, outcome, error_code, cause_code,
                   - count
            FROM old_rows
            WHERE outcome NOT IN ('planned', 'queued', 'sending')
        ) AS tally
        CROSS JOIN LATERAL messaging_figures_of(
            tally.unit, tally.day, tally.first_day, tally.attempt_number,
            tally.reached_before, tally.outcome, tally.error_code, tally.cause_code
        ) AS figure
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        HAVING sum(tally.count) <> 0
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (organization_id, kind, day, channel, integration_id, number,
                     outcome, code)
        DO UPDATE SET count = daily.count + excluded.count;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_tally_by_day_new
AFTER INSERT ON messaging_tally REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_by_day();

CREATE TRIGGER messaging_tally_by_day_change
AFTER UPDATE ON messaging_tally
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_by_day();

-- The same for recoveries: number is the bucket.
CREATE FUNCTION messaging_count_recoveries_by_day() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO messaging_dailyfigure AS daily
            (organization_id, kind, day, channel, integration_id, number, outcome, code,
             count, credits)
        SELECT organization_id, 'recovered', day, channel, integration_id, bucket, '',
               '', sum(count), sum(credits)
        FROM new_rows
        WHERE count <> 0 OR credits <> 0
        GROUP BY 1, 3, 4, 5, 6
        ORDER BY 1, 3, 4, 5, 6
        ON CONFLICT (organization_id, kind, day, channel, integration_id, number,
                     outcome, code)
        DO UPDATE SET count = daily.count + excluded.count,
                      credits = daily.credits + excluded.credits;
    ELSE
        INSERT INTO messaging_dailyfigure AS daily
            (organization_id, kind, day, channel, integration_id, number, outcome, code,
             count, credits)
        SELECT organization_id, 'recovered', day, channel, integration_id, bucket, '',
               '', sum(count), sum(credits)
        FROM (
            SELECT organization_id, day, channel, integration_id, bucket, count, credits
            FROM new_rows
            UNION ALL
            SELECT organization_id, day, channel, integration_id, bucket, - count,
                   - credits
            FROM old_rows
        ) AS changes
        GROUP BY 1, 3, 4, 5, 6
        HAVING sum(count) <> 0 OR sum(credits) <> 0
        ORDER BY 1, 3, 4, 5, 6
        ON CONFLICT (organization_id, kind, day, channel, integration_id, number,
                     outcome, code)
        DO UPDATE SET count = daily.count + excluded.count,
                      credits = daily.credits + excluded.credits;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_recovery_by_day_new
AFTER INSERT ON messaging_recovery REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_recoveries_by_day();

CREATE TRIGGER messaging_recovery_by_day_change
AFTER UPDATE ON messaging_recovery
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_count_recoveries_by_day();

-- What was counted before there were days.
INSERT INTO messaging_dailyfigure
    (organization_id, kind, day, channel, integration_id, number, outcome, code, count)
SELECT tally.organization_id, figure.kind, figure.figure_day, tally.channel,
       tally.integration_id, figure.number, figure.result, figure.code, sum(tally.count)
FROM messaging_tally AS tally
CROSS JOIN LATERAL messaging_figures_of(
    tally.unit, tally.day, tally.first_day, tally.attempt_number,
    tally.reached_before, tally.outcome, tally.error_code, tally.cause_code
) AS figure
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
HAVING sum(tally.count) <> 0;

INSERT INTO messaging_dailyfigure
    (organization_id, kind, day, channel, integration_id, number, outcome, code, count,
     credits)
SELECT organization_id, 'recovered', day, channel, integration_id, bucket, '', '',
       sum(count), sum(credits)
FROM messaging_recovery
GROUP BY 1, 3, 4, 5, 6
HAVING sum(count) <> 0;
