-- Receipts that wait, each with the attempt of the same integration it speaks of:
-- by our own reference if it carries one, else by the provider's id. A moment that
-- nobody can mean counts as none: Python could not even read some that are kept here.
SELECT receipt.id, receipt.organization_id, receipt.kind, receipt.state,
       receipt.reference, receipt.address, receipt.error_code, receipt.error_detail,
       CASE WHEN receipt.occurred_at >= %(earliest)s AND receipt.occurred_at < %(latest)s
           THEN receipt.occurred_at END AS occurred_at,
       receipt.received_at, receipt.integration_id,
       receipt.received_at < clock_timestamp() - %(patience)s AS has_waited,
       integration.channel, integration.kind AS provider,
       attempt.id AS matched_id, attempt.parts, attempt.state AS attempt_state,
       (
           /* as in last_part.sql */
       ) AS last_part,
       attempt.parts = 1 OR attempt.parts_sent = (1 << attempt.parts) - 1 AS is_whole
FROM messaging_receipt AS receipt
JOIN messaging_integration AS integration ON integration.id = receipt.integration_id
LEFT JOIN LATERAL (
    SELECT candidate.id, candidate.parts, candidate.state, candidate.parts_sent,
           candidate.parts_inherited
    FROM (
        SELECT id, parts, state, parts_sent, parts_inherited, 1 AS choice
        FROM messaging_attempt
        WHERE id = receipt.attempt_id
          AND integration_id = receipt.integration_id
        UNION ALL
        SELECT id, parts, state, parts_sent, parts_inherited, 2
        FROM messaging_attempt
        WHERE integration_id = receipt.integration_id
          AND provider_id = receipt.provider_id
          AND receipt.provider_id <> ''
          AND provider_id <> ''
    ) AS candidate
    ORDER BY choice, id DESC
    LIMIT 1
) AS attempt ON receipt.kind = 'status'
WHERE receipt.applied_at IS NULL
  AND receipt.id > %(after)s
  AND receipt.id <= %(until)s
ORDER BY receipt.id
LIMIT %(limit)s
FOR UPDATE OF receipt SKIP LOCKED
