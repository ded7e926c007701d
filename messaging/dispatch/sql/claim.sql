-- Take due messages of one integration, open their attempts and hold the credits.
-- What may not leave (any more) is skipped, what cannot be paid for fails, and what
-- comes too soon after another message to the same person gets a later time.
WITH due AS MATERIALIZED (
    SELECT id, organization_id, contact_id, broadcast_id, root_id,
           coalesce(amended_content_id, content_id) AS content_id, channel,
           recipient, attempt_count, parts_sent, parameters, day, expires_at,
           asked_by, asked_by_name, asked_reason, asked_in_bulk, priority, due_at,
           given_back, earlier_tries, first_failed_at,
           coalesce(nullif(error_code, ''), earlier_error) AS cause_code
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
    SELECT due.*,
           CASE
               WHEN due.expires_at <= now() THEN 'expired'
               WHEN due.channel = ANY (contact.opted_out_channels) THEN 'opted_out'
               ELSE ''
           END AS refusal,
           greatest(now(), pair.free_at) AS free_at
    FROM due
    CROSS JOIN LATERAL (
        SELECT opted_out_channels
        FROM messaging_contact
        WHERE id = due.contact_id
        LIMIT 1
    ) AS contact
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
decided AS (
    SELECT placed.*,
           CASE
               WHEN refusal <> '' THEN 'skipped'
               WHEN is_early THEN 'later'
               WHEN place > %(affordable)s THEN 'failed'
               ELSE 'sending'
           END AS decision
    FROM placed
),
changed AS (
    UPDATE messaging_message AS message
    SET state = decided.decision,
        state_at = now(),
        due_at = NULL,
        reason = decided.refusal,
        attempt_count = message.attempt_count + (decided.decision = 'sending')::int,
        error_code = CASE decided.decision
            WHEN 'failed' THEN 'resend_admin:insufficient_credits' ELSE '' END,
        error_class = CASE decided.decision WHEN 'failed' THEN 'fix_first' ELSE '' END
    FROM decided
    WHERE message.id = decided.id
      AND decided.decision <> 'later'
      AND message.state = 'queued'
    RETURNING message.id, message.state, message.attempt_count
),
deferred AS (
    UPDATE messaging_message AS message
    SET due_at = decided.free_at
        + (decided.turn - 1) * %(pair_seconds)s * interval '1 second'
    FROM decided
    WHERE message.id = decided.id
      AND decided.decision = 'later'
      AND message.state = 'queued'
),
opened AS (
    INSERT INTO messaging_attempt
        (organization_id, message_id, integration_id, content_id, broadcast_id,
         opened_at, day, number, price, parts, parts_sent, state, channel, actor,
         actor_name, reason, cause_code, chain_offset, first_failed_at,
         bulk_id)
    SELECT decided.organization_id, decided.id, %(integration_id)s, decided.content_id,
           decided.broadcast_id, clock_timestamp(), decided.day, changed.attempt_count,
           %(price)s,
           CASE content.kind
               WHEN 'flow' THEN jsonb_array_length(content.payload -> 'parts')
               ELSE 1 END,
           decided.parts_sent, 'open', decided.channel, decided.asked_by,
           decided.asked_by_name, decided.asked_reason, decided.cause_code,
           decided.earlier_tries - decided.given_back, decided.first_failed_at,
           decided.asked_in_bulk
    FROM changed
    JOIN decided ON decided.id = changed.id
    JOIN messaging_content AS content ON content.id = decided.content_id
    WHERE changed.state = 'sending'
    RETURNING id, organization_id, message_id, parts, parts_sent
),
spaced AS (
    -- A part is a message to the provider. The claim's own slots reach into the
    -- horizon, so the next message keeps clear of that, too.
    INSERT INTO messaging_pairpace (integration_id, recipient, free_at)
    SELECT %(integration_id)s, decided.recipient,
           clock_timestamp() + interval '1 second' * (
               %(horizon_seconds)s
               + %(pair_seconds)s
               * (opened.parts - bit_count(opened.parts_sent::int::bit(16)))
           )
    FROM opened
    JOIN decided ON decided.id = opened.message_id
    WHERE %(pair_seconds)s > 0
    ON CONFLICT (integration_id, recipient) DO UPDATE SET free_at = excluded.free_at
),
held AS (
    INSERT INTO messaging_creditentry
        (organization_id, attempt_id, message_id, step, amount, available_change,
         held_change)
    SELECT organization_id, id, message_id, 'hold', %(price)s, - %(price)s, %(price)s
    FROM opened
    WHERE %(price)s > 0
)
SELECT opened.id AS attempt_id,
       opened.message_id,
       opened.parts,
       decided.parts_sent,
       decided.channel,
       decided.recipient,
       decided.parameters,
       decided.root_id,
       decided.content_id,
       NULL::bigint AS taken
FROM opened
JOIN decided ON decided.id = opened.message_id
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
FROM due
ORDER BY attempt_id NULLS LAST
