-- Accounts against the sum of their ledger, attempts whose lines contradict their state,
-- and holds that nobody would look for any more, in one snapshot.
SELECT account.organization_id, NULL::bigint AS attempt_id,
       format('the account says %%s available, %%s held, %%s owed; its lines add up'
              ' to %%s, %%s, %%s',
              account.available, account.held, account.owed,
              coalesce(sum(entry.available_change), 0),
              coalesce(sum(entry.held_change), 0),
              coalesce(sum(entry.owed_change), 0)) AS difference
FROM messaging_creditaccount AS account
LEFT JOIN messaging_creditentry AS entry USING (organization_id)
GROUP BY account.organization_id
HAVING account.available <> coalesce(sum(entry.available_change), 0)
    OR account.held <> coalesce(sum(entry.held_change), 0)
    OR account.owed <> coalesce(sum(entry.owed_change), 0)
UNION ALL
SELECT attempt.organization_id, attempt.id,
       format('attempt %%s is %%s, its lines are: %%s', attempt.id, attempt.state,
              coalesce(string_agg(entry.step, ', ' ORDER BY entry.id), 'none'))
FROM messaging_attempt AS attempt
JOIN messaging_integration AS integration ON integration.id = attempt.integration_id
LEFT JOIN messaging_creditentry AS entry ON entry.attempt_id = attempt.id
WHERE attempt.price > 0
GROUP BY attempt.id, integration.kind
HAVING NOT coalesce(bool_or(entry.step = 'hold'), false)
    OR coalesce(bool_or(entry.step = 'charge'), false) <> (
           attempt.state IN ('delivered', 'read')
           OR attempt.state = 'sent'
              AND integration.kind = ANY (%(kinds_without_receipts)s))
    OR attempt.state = 'failed'
       AND NOT coalesce(bool_or(entry.step = 'release'), false)
    OR attempt.state = 'open'
       AND coalesce(bool_or(entry.step = 'release'), false)
UNION ALL
SELECT attempt.organization_id, attempt.id,
       format('attempt %%s is %%s and still held by line %%s, although the account says'
              ' that no line up to %%s holds anything',
              attempt.id, attempt.state, held.id, account.settled_to)
FROM messaging_creditaccount AS account
JOIN messaging_creditentry AS held
  ON held.organization_id = account.organization_id
 AND held.id <= account.settled_to
 AND held.step = 'hold'
JOIN messaging_attempt AS attempt ON attempt.id = held.attempt_id
WHERE attempt.state IN ('open', 'sent', 'unknown')
  AND NOT EXISTS (
      SELECT FROM messaging_creditentry AS entry
      WHERE entry.attempt_id = held.attempt_id
        AND entry.step IN ('charge', 'release')
  )
ORDER BY 1, 2 NULLS FIRST
