-- Claim messages for one retry receipt: those that nobody has asked for in the last
-- seconds and not as often as is allowed. Ids that are not known are noted, and so are
-- those of which only a file was known. Whoever comes second waits for the row, and then finds it claimed. In the order of the
-- ids, so that two claims of the same messages do not wait for each other.
INSERT INTO messaging_inboundmessage AS known (
    organization_id, integration_id, message_id, chat_jid, sender_jid, phone,
    push_name, is_from_us, occurred_at, state, reason, requests, quiet_until,
    request_id, kind, text, media_url, media_name
)
SELECT %(organization_id)s, %(integration_id)s, wanted.message_id, %(chat_jid)s,
       %(sender_jid)s, %(phone)s, '', false, clock_timestamp(), 'waiting', '', 1,
       clock_timestamp() + %(quiet)s, %(request_id)s, '', '', '', ''
FROM unnest(%(message_ids)s::text[]) AS wanted (message_id)
ORDER BY wanted.message_id
ON CONFLICT (integration_id, message_id) DO UPDATE
SET requests = known.requests + 1,
    quiet_until = clock_timestamp() + %(quiet)s,
    request_id = excluded.request_id,
    state = CASE WHEN known.state = 'received' AND known.heard_at IS NULL
            THEN 'waiting' ELSE known.state END,
    phone = coalesce(nullif(known.phone, ''), excluded.phone)
WHERE known.requests < %(most)s
  AND (known.quiet_until IS NULL OR known.quiet_until <= clock_timestamp())
RETURNING message_id
