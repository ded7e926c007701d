-- Holds that nobody settled: no receipt in this many days, or as long as the
-- organization keeps its rows. A later delivery still charges.
WITH old AS MATERIALIZED (
    SELECT attempt.id, attempt.organization_id, attempt.message_id, attempt.price
    FROM messaging_attempt AS attempt
    WHERE attempt.organization_id = %(organization_id)s
      AND attempt.price > 0
      AND attempt.state IN ('sent', 'unknown')
      AND attempt.opened_at < now() - %(days)s * interval '1 day'
      AND NOT EXISTS (
          SELECT FROM messaging_creditentry AS entry
          WHERE entry.attempt_id = attempt.id
            AND entry.step IN ('charge', 'release')
      )
    ORDER BY attempt.opened_at
    LIMIT %(limit)s
    FOR UPDATE OF attempt SKIP LOCKED
)
INSERT INTO messaging_creditentry
    (organization_id, attempt_id, message_id, step, amount, available_change,
     held_change, note)
SELECT organization_id, id, message_id, 'release', price, price, - price,
       'No receipt came'
FROM old
RETURNING id
