-- The limit: the rows of a retry that goes out at once, by one plain statement that
-- judges nobody. They are the same rows: queued, with all that a row of a retry knows.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
     due_at, expires_at, day, priority, used_fallback, state, reason, channel,
     recipient, parameters, parts_sent, earlier_tries, earlier_error,
     first_failed_at, first_day)
SELECT organization_id, contact_id, %(broadcast_id)s, id, integration_id, content_id,
       now(), NULL, now()::date, 5, false, 'queued', '', channel,
       recipient, parameters, parts_sent, attempt_count - given_back, error_code,
       first_failed_at, coalesce(first_day, day)
FROM messaging_message
WHERE broadcast_id = %(source_id)s
  AND state = 'failed'
ORDER BY id
