-- Holds that nobody settled: no receipt in this many days, or as long as the
-- organization keeps its rows. A later delivery still charges.
--
-- The ledger of an organization is written in the order of its account's lock, so it is
-- walked once, from where the walk before this one ended: up to the first hold that is
-- too young, still open, or held by somebody else at the moment.
WITH line AS MATERIALIZED (
    SELECT id, attempt_id, step
    FROM messaging_creditentry
    WHERE organization_id = %(organization_id)s
      AND id > (
          SELECT settled_to
          FROM messaging_creditaccount
          WHERE organization_id = %(organization_id)s
      )
    ORDER BY id
    LIMIT %(limit)s
),
held AS MATERIALIZED (
    SELECT line.id AS line_id, attempt.id
    FROM line
    CROSS JOIN LATERAL (
        SELECT id, state
        FROM messaging_attempt
        WHERE id = line.attempt_id
        LIMIT 1
    ) AS attempt
    WHERE line.step = 'hold'
      AND attempt.state IN ('open', 'sent', 'unknown')
      AND NOT EXISTS (
          SELECT FROM messaging_creditentry AS entry
          WHERE entry.attempt_id = line.attempt_id
            AND entry.step IN ('charge', 'release')
      )
),
old AS MATERIALIZED (
    SELECT held.line_id, attempt.*
    FROM held
    CROSS JOIN LATERAL (
        SELECT id, message_id, price
        FROM messaging_attempt
        WHERE id = held.id
          AND state IN ('sent', 'unknown')
          AND opened_at < now() - %(days)s * interval '1 day'
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS attempt
),
released AS (
    INSERT INTO messaging_creditentry
        (organization_id, attempt_id, message_id, step, amount, available_change,
         held_change, note)
    SELECT %(organization_id)s, id, message_id, 'release', price, price, - price,
           'No receipt came'
    FROM old
    ORDER BY id
)
SELECT (SELECT count(*) FROM old) AS released,
       (SELECT count(*) FROM line) AS walked,
       coalesce(
           (
               SELECT min(line_id) - 1
               FROM held
               WHERE line_id NOT IN (SELECT line_id FROM old)
           ),
           (SELECT max(id) FROM line),
           0
       ) AS settled_to
