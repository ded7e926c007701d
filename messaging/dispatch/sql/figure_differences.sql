-- Daily figures against a fresh sum of the tallies and recoveries they add up.
WITH both_sides AS (
    SELECT tally.organization_id, figure.kind, figure.figure_day AS day, tally.channel,
           tally.integration_id, figure.number, figure.result AS outcome, figure.code,
           0 AS tallied, tally.count AS counted, 0 AS tallied_credits,
           0 AS counted_credits
    FROM messaging_tally AS tally
    CROSS JOIN LATERAL messaging_figures_of(
        tally.unit, tally.day, tally.first_day, tally.attempt_number,
        tally.reached_before, tally.outcome, tally.error_code, tally.cause_code
    ) AS figure
    UNION ALL
    SELECT organization_id, 'recovered', day, channel, integration_id, bucket, '', '',
           0, count, 0, credits
    FROM messaging_recovery
    UNION ALL
    SELECT organization_id, kind, day, channel, integration_id, number, outcome, code,
           count, 0, credits, 0
    FROM messaging_dailyfigure
)
SELECT organization_id, kind, day, channel, integration_id, number, outcome, code,
       sum(tallied)::bigint AS tallied, sum(counted)::bigint AS counted,
       sum(tallied_credits)::bigint AS tallied_credits,
       sum(counted_credits)::bigint AS counted_credits
FROM both_sides
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
HAVING sum(tallied) <> sum(counted) OR sum(tallied_credits) <> sum(counted_credits)
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
