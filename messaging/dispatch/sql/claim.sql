-- Take due messages of one integration, open their attempts and hold the credits.
-- What may not leave (any more) is skipped, what cannot be paid for fails.
WITH due AS MATERIALIZED (
    SELECT id, organization_id, contact_id, broadcast_id, root_id,
           coalesce(amended_content_id, content_id) AS content_id, channel,
           recipient, attempt_count, parts_sent, parameters, day, expires_at,
           asked_by, asked_by_name, asked_reason, earlier_tries, first_failed_at,
           coalesce(nullif(error_code, ''), earlier_error) AS cause_code
    FROM messaging_message
    WHERE integration_id = %(integration_id)s
      AND state = 'queued'
      AND due_at <= now() /* and this one only */
    ORDER BY priority, due_at, id
    LIMIT %(limit)s
    FOR UPDATE /* of those that nobody holds */
),
judged AS (
    SELECT due.*,
           CASE
               WHEN due.expires_at <= now() THEN 'expired'
               WHEN due.channel = ANY (contact.opted_out_channels) THEN 'opted_out'
               ELSE ''
           END AS refusal
    FROM due
    JOIN messaging_contact AS contact ON contact.id = due.contact_id
),
placed AS (
    SELECT judged.*,
           row_number() OVER (PARTITION BY refusal ORDER BY id) AS place
    FROM judged
),
decided AS (
    SELECT placed.*,
           CASE
               WHEN refusal <> '' THEN 'skipped'
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
      AND message.state = 'queued'
    RETURNING message.id, message.state, message.attempt_count
),
opened AS (
    INSERT INTO messaging_attempt
        (organization_id, message_id, integration_id, content_id, broadcast_id,
         opened_at, day, number, price, parts, parts_sent, state, channel, actor,
         actor_name, reason, cause_code, chain_offset, first_failed_at)
    SELECT decided.organization_id, decided.id, %(integration_id)s, decided.content_id,
           decided.broadcast_id, clock_timestamp(), decided.day, changed.attempt_count,
           %(price)s,
           CASE content.kind
               WHEN 'flow' THEN jsonb_array_length(content.payload -> 'parts')
               ELSE 1 END,
           decided.parts_sent, 'open', decided.channel, decided.asked_by,
           decided.asked_by_name, decided.asked_reason, decided.cause_code,
           decided.earlier_tries, decided.first_failed_at
    FROM changed
    JOIN decided ON decided.id = changed.id
    JOIN messaging_content AS content ON content.id = decided.content_id
    WHERE changed.state = 'sending'
    RETURNING id, organization_id, message_id, parts
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
       content.id AS content_id,
       content.kind,
       content.payload,
       (SELECT count(*) FROM due) AS taken
FROM opened
JOIN decided ON decided.id = opened.message_id
JOIN messaging_content AS content ON content.id = decided.content_id
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
FROM due
ORDER BY attempt_id NULLS LAST
