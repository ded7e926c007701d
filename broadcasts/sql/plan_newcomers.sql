-- Rows of members who are in no earlier run of the chain; their way out is chosen
-- when the broadcast starts, as it is for the other rows of a retry.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, due_at, expires_at, day, priority,
     state, parameters)
SELECT contact.organization_id, contact.id, %(broadcast_id)s, %(run_at)s,
       %(expires_at)s, %(day)s, %(priority)s, 'planned',
       jsonb_build_object(
           'name', contact.name,
           'first_name', split_part(contact.name, ' ', 1),
           'external_id', contact.external_id
       )
FROM messaging_contact AS contact
WHERE contact.id = ANY (%(contact_ids)s::bigint[])
ORDER BY contact.id
