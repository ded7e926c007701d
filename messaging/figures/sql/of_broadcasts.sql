(
    SELECT tally.organization_id, figure.kind, figure.figure_day AS day, tally.channel,
           tally.integration_id, figure.number, figure.result AS outcome, figure.code,
           tally.count, 0 AS credits
    FROM messaging_tally AS tally
    CROSS JOIN LATERAL messaging_figures_of(
        tally.unit, tally.day, tally.first_day, tally.attempt_number,
        tally.reached_before, tally.outcome, tally.error_code, tally.cause_code
    ) AS figure
    WHERE tally.broadcast_id = ANY (%(broadcast_ids)s::bigint[])
      AND tally.count <> 0
    UNION ALL
    SELECT organization_id, 'recovered', day, channel, integration_id, bucket, '', '',
           count, credits
    FROM messaging_recovery
    WHERE broadcast_id = ANY (%(broadcast_ids)s::bigint[])
)
