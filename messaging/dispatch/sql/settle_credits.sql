-- Bring the ledger in step with the states of these attempts. Derived from rows,
-- so running it twice adds nothing. The accounts are locked before.
WITH standing AS (
    SELECT attempt.id, attempt.organization_id, attempt.message_id, attempt.price,
           attempt.state IN ('delivered', 'read')
               OR attempt.state = 'sent'
                  AND integration.kind = ANY (%(kinds_without_receipts)b::text[]) AS is_charged,
           attempt.state = 'failed' AS is_released,
           bool_or(entry.step = 'charge') AS has_charge,
           bool_or(entry.step = 'release') AS has_release
    FROM messaging_attempt AS attempt
    JOIN messaging_integration AS integration ON integration.id = attempt.integration_id
    JOIN messaging_creditentry AS entry ON entry.attempt_id = attempt.id
    WHERE attempt.id = ANY (%(attempt_ids)b::bigint[])
      AND attempt.price > 0
    GROUP BY attempt.id, integration.kind
),
missing AS (
    SELECT standing.*,
           CASE WHEN is_charged THEN 'charge' ELSE 'release' END AS step,
           is_charged AND has_release AS is_late
    FROM standing
    WHERE is_charged AND NOT has_charge
       OR is_released AND NOT has_release AND NOT has_charge
),
priced AS (
    -- A late charge finds its hold gone: it is paid from what is available, in
    -- order, and the rest is owed until the next top-up.
    SELECT missing.*,
           CASE WHEN is_late THEN greatest(0, least(
               price,
               account.available - (
                   sum(CASE WHEN is_late THEN price ELSE 0 END) OVER (
                       PARTITION BY missing.organization_id ORDER BY missing.id
                   ) - price
               )
           )) ELSE 0 END AS paid
    FROM missing
    JOIN messaging_creditaccount AS account USING (organization_id)
)
INSERT INTO messaging_creditentry
    (organization_id, attempt_id, message_id, step, amount, available_change,
     held_change, owed_change)
SELECT organization_id, id, message_id, step, price,
       CASE WHEN step = 'release' THEN price ELSE - paid END,
       CASE WHEN is_late THEN 0 ELSE - price END,
       CASE WHEN is_late THEN price - paid ELSE 0 END
FROM priced
ORDER BY id
RETURNING id
