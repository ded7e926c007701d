-- One message of a broadcast to each of the first members of an organization, due.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, integration_id, content_id, due_at, day,
     state, channel, recipient, parameters)
SELECT contact.organization_id,
       contact.id,
       %(broadcast_id)s,
       %(integration_id)s,
       %(content_id)s,
       %(due_at)s,
       %(day)s,
       'queued',
       %(channel)s,
       contact.phone,
       %(parameters)s::jsonb
FROM messaging_contact AS contact
WHERE contact.organization_id = %(organization_id)s
ORDER BY contact.id
LIMIT %(messages)s
