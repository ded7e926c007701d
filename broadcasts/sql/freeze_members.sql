-- The rows of a retry: each failed row that the person saw, and nothing else. They
-- carry over what the source sent, to whom, and how much of a flow has arrived. The
-- lock keeps a resend of the very same row from slipping in between; a row that was
-- queued a moment ago is left out, and the number then differs from what was shown.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
     due_at, expires_at, day, priority, used_fallback, state, channel, recipient,
     parameters, parts_sent)
SELECT source.organization_id, source.contact_id, %(broadcast_id)s,
       coalesce(source.root_id, source.id), source.integration_id, source.content_id,
       %(run_at)s::timestamptz, %(expires_at)s::timestamptz, %(day)s::date,
       %(priority)s, source.used_fallback, 'planned', source.channel,
       source.recipient, source.parameters, source.parts_sent
FROM ({candidates}) AS chosen
JOIN messaging_message AS source ON source.id = chosen.id
WHERE source.state IN ('failed', 'unknown')
ORDER BY source.id
FOR NO KEY UPDATE OF source
