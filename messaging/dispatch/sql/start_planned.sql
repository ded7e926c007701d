-- Rows of a broadcast that is due: each goes out by its route, is skipped, or is given
-- back to the run that is sending to its member, or may have reached them. How is
-- decided by a query of the caller, in the same statement: a row for each message.
WITH decision AS MATERIALIZED (
    /* decisions */
),
-- The decisions ride along with the locks, taken one by one in the order of numbers:
-- statistics know of no planned rows, and PostgreSQL would compare each with each.
planned AS MATERIALIZED (
    SELECT decision.*
    FROM (SELECT * FROM decision ORDER BY message_id) AS decision
    CROSS JOIN LATERAL (
        SELECT
        FROM messaging_message AS waiting
        WHERE waiting.id = decision.message_id
          AND waiting.state = 'planned'
        FOR UPDATE
    ) AS held
),
started AS (
    UPDATE messaging_message AS message
    SET state = CASE
            WHEN decision.reason = '' THEN 'queued'
            WHEN decision.reason IN ('on_its_way', 'in_doubt') THEN 'cancelled'
            ELSE 'skipped' END,
        state_at = now(),
        reason = decision.reason,
        integration_id = coalesce(decision.integration_id, message.integration_id),
        parts_sent = CASE
            WHEN decision.content_id IS NULL
                OR decision.content_id = message.content_id
            THEN message.parts_sent ELSE 0 END,
        content_id = coalesce(decision.content_id, message.content_id),
        channel = decision.channel,
        recipient = decision.recipient,
        used_fallback = decision.used_fallback,
        due_at = CASE decision.reason WHEN '' THEN %(due_at)s::timestamptz END,
        expires_at = %(expires_at)s::timestamptz
    FROM planned AS decision
    -- Held above while it was planned. Asked again here, PostgreSQL would go by the
    -- state and read every planned row for each page.
    WHERE message.id = decision.message_id
)
SELECT count(*) AS decided, max(message_id) AS last_id
FROM decision
