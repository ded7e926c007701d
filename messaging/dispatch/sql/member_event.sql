-- A member wrote, opted out or came back: everybody with that address.
UPDATE messaging_contact AS contact
SET whatsapp_inbound_at = CASE
        WHEN %(channel)s = 'whatsapp' AND %(kind)s <> 'opt_out'
        THEN greatest(contact.whatsapp_inbound_at, %(at)s)
        ELSE contact.whatsapp_inbound_at END,
    opted_out_channels = CASE %(kind)s
        WHEN 'opt_out'
        THEN array_append(array_remove(contact.opted_out_channels, %(channel)s),
                          %(channel)s)
        WHEN 'opt_in' THEN array_remove(contact.opted_out_channels, %(channel)s)
        ELSE contact.opted_out_channels END,
    updated_at = now()
WHERE contact.organization_id = %(organization_id)s
  AND CASE %(channel)s
      WHEN 'telegram' THEN contact.telegram_chat_id = %(address)s
                           AND contact.telegram_chat_id <> ''
      WHEN 'email' THEN contact.email = %(address)s
      ELSE contact.phone = %(address)s END
RETURNING contact.id
