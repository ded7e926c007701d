-- Take due messages of one integration, open their attempts and hold the credits.
-- What may not leave (any more) is skipped, what cannot be paid for fails, and what
-- comes too soon after another message to the same person gets a later time.
--
-- Of what has just been queued statistics know nothing: the planner expects a single
-- due row and joins whatever it can row by row. So every step carries all that the
-- next ones need, and none of them is joined with another one. Messages are compared
-- with the state in which they were found: by a constant one, the planner would go
-- through the whole queue for each of them.
WITH due AS MATERIALIZED (
    SELECT id, state AS before, contact_id,
           coalesce(amended_content_id, content_id) AS content_id, channel, recipient,
           attempt_count, expires_at, priority, due_at, error_code AS failed_with,
           earlier_error, parts_sent, given_back
    FROM messaging_message
    WHERE integration_id = %(integration_id)s
      AND state = 'queued'
      AND due_at <= now() /* and this one only */
    ORDER BY priority, due_at, id
    LIMIT %(limit)s
    FOR UPDATE /* of those that nobody holds */
),
-- One probe for each, whatever statistics say, and once: it is asked for twice below.
judged AS MATERIALIZED (
    SELECT due.id, due.before, due.content_id, due.recipient, due.attempt_count,
           due.given_back, due.priority, due.due_at,
           CASE
               WHEN due.expires_at <= now() THEN 'expired'
               WHEN due.channel = ANY (contact.opted_out_channels) THEN 'opted_out'
               -- Several tries have got all of a flow through by now, part by part.
               WHEN content.parts > 1
                   AND due.parts_sent = (1 << content.parts) - 1 THEN 'already_reached'
               ELSE ''
           END AS refusal,
           CASE
               WHEN failed_with = '' THEN earlier_error
               WHEN messaging_is_try(failed_with) THEN failed_with
               -- It was given back, and goes on answering what it answered before.
               ELSE (
                   SELECT latest.cause_code
                   FROM messaging_attempt AS latest
                   WHERE latest.message_id = due.id
                     AND latest.number = due.attempt_count
               )
           END AS cause_code,
           greatest(now(), pair.free_at) AS free_at,
           content.parts
    FROM due
    CROSS JOIN LATERAL (
        SELECT opted_out_channels
        FROM messaging_contact
        WHERE id = due.contact_id
        LIMIT 1
    ) AS contact
    CROSS JOIN LATERAL (
        SELECT CASE kind
            WHEN 'flow' THEN jsonb_array_length(payload -> 'parts')
            ELSE 1 END AS parts
        FROM messaging_content
        WHERE id = due.content_id
        LIMIT 1
    ) AS content
    LEFT JOIN LATERAL (
        SELECT earlier.free_at
        FROM messaging_pairpace AS earlier
        WHERE earlier.integration_id = %(integration_id)s
          AND earlier.recipient = due.recipient
          AND %(pair_seconds)s > 0
        LIMIT 1
    ) AS pair ON true
),
paired AS (
    SELECT judged.*,
           %(pair_seconds)s > 0 AND (free_at > now() OR row_number() OVER (
               PARTITION BY recipient, refusal = '' ORDER BY priority, due_at, id
           ) > 1) AS is_early,
           row_number() OVER (
               PARTITION BY recipient, refusal = '' ORDER BY priority, due_at, id
           ) AS turn
    FROM judged
),
placed AS (
    SELECT paired.*,
           row_number() OVER (PARTITION BY refusal, is_early ORDER BY id) AS place
    FROM paired
),
chosen AS (
    SELECT placed.*,
           CASE
               WHEN refusal <> '' THEN 'skipped'
               WHEN is_early THEN 'later'
               WHEN place > %(affordable)s THEN 'failed'
               ELSE 'sending'
           END AS choice
    FROM placed
),
-- What an earlier try may have brought does not go under because this one may not
-- leave: such a message is in doubt again, as it was, and says why. So is a failed one
-- of which no part is missing any more.
decided AS (
    SELECT message.*,
           coalesce(doubt.state, message.choice) AS decision,
           CASE WHEN doubt.state IS NOT NULL AND message.choice = 'failed'
               THEN 'insufficient_credits' ELSE message.refusal END AS reason,
           CASE
               WHEN doubt.state IS NOT NULL THEN doubt.error_code
               WHEN message.choice = 'failed' THEN 'resend_admin:insufficient_credits'
               ELSE ''
           END AS error_code,
           CASE
               WHEN doubt.state IS NOT NULL THEN doubt.error_class
               WHEN message.choice = 'failed' THEN 'fix_first'
               ELSE ''
           END AS error_class
    FROM chosen AS message
    LEFT JOIN LATERAL (
        SELECT stood.state, stood.error_code, stood.error_class
        FROM (
            /* as in stood.sql */
        ) AS stood
        WHERE (stood.may_arrive OR message.refusal = 'already_reached'
                 AND message.attempt_count > message.given_back)
          AND message.choice IN ('skipped', 'failed')
          AND message.attempt_count > 0
    ) AS doubt ON true
),
changed AS (
    UPDATE messaging_message AS message
    SET state = decided.decision,
        state_at = now(),
        due_at = NULL,
        reason = decided.reason,
        attempt_count = message.attempt_count + (decided.decision = 'sending')::int,
        error_code = decided.error_code,
        error_class = decided.error_class
    FROM decided
    WHERE message.id = decided.id
      AND decided.decision <> 'later'
      AND message.state = decided.before
    RETURNING message.id, message.state AS became, message.attempt_count AS number,
              message.organization_id, message.broadcast_id, message.root_id,
              message.channel, message.recipient, message.parameters,
              message.parts_sent AS parts_inherited, message.day, message.asked_by,
              message.asked_by_name, message.asked_reason, message.asked_in_bulk,
              message.first_failed_at,
              message.earlier_tries - message.given_back AS chain_offset,
              decided.content_id, decided.cause_code, decided.parts,
              -- What is no flow goes out whole each time.
              CASE WHEN message.parts_sent <> (1 << decided.parts) - 1
                  THEN message.parts_sent ELSE 0 END AS parts_sent,
              CASE decided.decision WHEN 'sending' THEN
                  nextval('messaging_message_id_seq')
              END AS attempt_id
),
deferred AS (
    UPDATE messaging_message AS message
    SET due_at = decided.free_at
        + (decided.turn - 1) * %(pair_seconds)s * interval '1 second'
    FROM decided
    WHERE message.id = decided.id
      AND decided.decision = 'later'
      AND message.state = decided.before
),
opened AS (
    INSERT INTO messaging_attempt
        (id, organization_id, message_id, integration_id, content_id, broadcast_id,
         opened_at, day, number, price, parts, parts_sent, parts_inherited, state,
         channel, actor, actor_name, reason, cause_code, chain_offset, first_failed_at,
         bulk_id)
    SELECT attempt_id, organization_id, id, %(integration_id)s, content_id,
           broadcast_id, clock_timestamp(), day, number, %(price)s, parts, parts_sent,
           parts_inherited, 'open', channel, asked_by, asked_by_name, asked_reason,
           cause_code, chain_offset, first_failed_at, asked_in_bulk
    FROM changed
    WHERE became = 'sending'
),
spaced AS (
    -- A part is a message to the provider. The claim's own slots reach into the
    -- horizon, so the next message keeps clear of that, too.
    INSERT INTO messaging_pairpace (integration_id, recipient, free_at)
    SELECT %(integration_id)s, recipient,
           clock_timestamp() + interval '1 second' * (
               %(horizon_seconds)s
               + %(pair_seconds)s * (parts - bit_count(parts_sent::int::bit(16)))
           )
    FROM changed
    WHERE became = 'sending'
      AND %(pair_seconds)s > 0
    ON CONFLICT (integration_id, recipient) DO UPDATE SET free_at = excluded.free_at
),
held AS (
    INSERT INTO messaging_creditentry
        (organization_id, attempt_id, message_id, step, amount, available_change,
         held_change)
    SELECT organization_id, attempt_id, id, 'hold', %(price)s, - %(price)s, %(price)s
    FROM changed
    WHERE became = 'sending'
      AND %(price)s > 0
)
SELECT attempt_id, id AS message_id, parts, parts_sent, channel, recipient, parameters,
       root_id, content_id, NULL::bigint AS taken
FROM changed
WHERE became = 'sending'
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
FROM due
ORDER BY attempt_id NULLS LAST
