-- Rows of a broadcast that is due: each goes out by its route or is skipped.
WITH decision AS (
    SELECT *
    FROM unnest(
        %(message_id)s::bigint[], %(integration_id)s::bigint[],
        %(content_id)s::bigint[], %(channel)s::text[], %(recipient)s::text[],
        %(used_fallback)s::bool[], %(due_at)s::timestamptz[],
        %(expires_at)s::timestamptz[], %(reason)s::text[]
    ) AS d (message_id, integration_id, content_id, channel, recipient, used_fallback,
            due_at, expires_at, reason)
),
planned AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE id = ANY (%(message_id)s::bigint[])
      AND state = 'planned'
    ORDER BY id
    FOR UPDATE
)
UPDATE messaging_message AS message
SET state = CASE decision.reason WHEN '' THEN 'queued' ELSE 'skipped' END,
    state_at = now(),
    reason = decision.reason,
    integration_id = coalesce(decision.integration_id, message.integration_id),
    parts_sent = CASE
        WHEN decision.content_id IS NULL OR decision.content_id = message.content_id
        THEN message.parts_sent ELSE 0 END,
    content_id = coalesce(decision.content_id, message.content_id),
    channel = decision.channel,
    recipient = decision.recipient,
    used_fallback = decision.used_fallback,
    due_at = CASE decision.reason WHEN '' THEN decision.due_at END,
    expires_at = decision.expires_at
FROM decision
JOIN planned ON planned.id = decision.message_id
WHERE message.id = planned.id
  AND message.state = 'planned'
RETURNING message.id
