-- What the tallies of resends need, for rows that are older than these columns. Only
-- what the kept rows can tell is told; where the first row of a chain is gone, the
-- retry counts as the second try of its day.
LOCK TABLE messaging_message, messaging_attempt IN SHARE ROW EXCLUSIVE MODE;

-- Failures first: the attempts know when, and a message without one since when.
UPDATE messaging_message AS message
SET first_failed_at = failed.at
FROM (
    SELECT message_id, min(closed_at) AS at
    FROM messaging_attempt
    WHERE state IN ('failed', 'unknown') AND error_code <> 'resend_admin:not_sent'
    GROUP BY message_id
) AS failed
WHERE message.id = failed.message_id
  AND message.first_failed_at IS NULL;

UPDATE messaging_message
SET first_failed_at = state_at
WHERE state IN ('failed', 'unknown')
  AND first_failed_at IS NULL;

-- Then what a retry inherits from the rows of its chain that are older.
UPDATE messaging_message AS message
SET earlier_tries = greatest(1, chain.tries),
    earlier_error = coalesce(chain.error, ''),
    first_failed_at = least(chain.failed_at, message.first_failed_at),
    first_day = coalesce(chain.first_day, message.day)
FROM (
    SELECT retry.id,
           sum(run.attempt_count) AS tries,
           (array_agg(run.error_code ORDER BY run.id DESC)
               FILTER (WHERE run.state IN ('failed', 'unknown')))[1] AS error,
           min(run.first_failed_at) AS failed_at,
           min(run.day) AS first_day
    FROM messaging_message AS retry
    LEFT JOIN messaging_message AS run
      ON (run.id = retry.root_id OR run.root_id = retry.root_id)
     AND run.id < retry.id
     AND run.broadcast_id IS NOT NULL
    WHERE retry.root_id IS NOT NULL
      AND retry.broadcast_id IS NOT NULL
      AND retry.first_day IS NULL
    GROUP BY retry.id
) AS chain
WHERE message.id = chain.id;

UPDATE messaging_attempt AS attempt
SET chain_offset = message.earlier_tries,
    cause_code = CASE WHEN attempt.cause_code = '' AND attempt.number = 1
        THEN message.earlier_error ELSE attempt.cause_code END,
    first_failed_at = CASE WHEN message.first_failed_at < attempt.opened_at
        THEN message.first_failed_at END
FROM messaging_message AS message
WHERE message.id = attempt.message_id
  AND message.first_failed_at IS NOT NULL
  AND attempt.first_failed_at IS NULL
  AND (message.earlier_tries > 0 OR message.first_failed_at < attempt.opened_at);

-- What arrived after a failure, by the attempt that arrived first. Mail and Telegram
-- have no receipts: there, accepted is arrived.
UPDATE messaging_message AS message
SET recovered_by = arrived.chain_offset + arrived.number - 1,
    recovered_in = greatest(0, extract(epoch FROM arrived.at - arrived.first_failed_at)),
    recovered_for = arrived.price
FROM (
    SELECT DISTINCT ON (attempt.message_id)
           attempt.message_id, attempt.chain_offset, attempt.number, attempt.price,
           attempt.first_failed_at,
           coalesce(attempt.delivered_at, attempt.closed_at) AS at
    FROM messaging_attempt AS attempt
    JOIN messaging_integration AS integration
      ON integration.id = attempt.integration_id
    WHERE attempt.state IN ('delivered', 'read')
       OR attempt.state = 'sent' AND integration.kind IN ('smtp', 'telegram_bot')
    ORDER BY attempt.message_id, coalesce(attempt.delivered_at, attempt.closed_at),
             attempt.number
) AS arrived
WHERE message.id = arrived.message_id
  AND message.state IN ('sent', 'delivered', 'read')
  AND message.recovered_by IS NULL
  AND arrived.first_failed_at IS NOT NULL;

-- And every tally again, from the rows; what has no row any more stays as it was
-- counted then.
LOCK TABLE messaging_tally IN SHARE ROW EXCLUSIVE MODE;

DELETE FROM messaging_tally WHERE pruned = 0;

UPDATE messaging_tally SET count = pruned;

INSERT INTO messaging_tally AS tally
    (organization_id, broadcast_id, unit, day, first_day, channel, integration_id,
     attempt_number, outcome, error_class, error_code, cause_code, reached_before,
     count)
SELECT organization_id, broadcast_id, 'message', day, first_day, channel,
       integration_id, attempt_count, state, error_class,
       messaging_tally_code(state, reason, error_code), earlier_error,
       reached_before, count(*)
FROM messaging_message
GROUP BY 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
UNION ALL
SELECT organization_id, broadcast_id, 'attempt', day, NULL, channel, integration_id,
       chain_offset + number, state, error_class, error_code, cause_code, false,
       count(*)
FROM messaging_attempt
WHERE state <> 'open'
GROUP BY 1, 2, 4, 6, 7, 8, 9, 10, 11, 12
ON CONFLICT (organization_id, broadcast_id, unit, day, first_day, channel,
             integration_id, attempt_number, outcome, error_class, error_code,
             cause_code, reached_before)
DO UPDATE SET count = tally.count + excluded.count;
