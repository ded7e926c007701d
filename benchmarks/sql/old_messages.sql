-- Messages that arrived long ago: every broadcast went to every member.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, integration_id, content_id, created_at,
     state_at, sent_at, delivered_at, day, attempt_count, state, channel, recipient,
     parameters)
SELECT contact.organization_id,
       contact.id,
       broadcast.id,
       %(integration_id)s,
       %(content_id)s,
       broadcast.started_at,
       broadcast.started_at + interval '9 s',
       broadcast.started_at + interval '1 s',
       broadcast.started_at + interval '9 s',
       broadcast.started_at::date,
       1,
       'delivered',
       'whatsapp',
       contact.phone,
       jsonb_build_object('name', contact.name, 'external_id', contact.external_id)
FROM broadcasts_broadcast AS broadcast
JOIN messaging_contact AS contact USING (organization_id)
WHERE broadcast.organization_id = %(organization_id)s
ORDER BY broadcast.started_at, broadcast.id, contact.id
LIMIT %(messages)s
