-- A member wrote, opted out or came back: everybody with that address. Of two
-- wishes about a channel the later one counts, whichever is heard first; of two at
-- the same moment, the one to be left alone.
WITH concerned AS MATERIALIZED (
    SELECT contact.id,
           coalesce((contact.wishes_at ->> %(channel)s)::timestamptz, '-infinity')
               AS wished_at
    FROM messaging_contact AS contact
    WHERE contact.organization_id = %(organization_id)s
      AND CASE %(channel)s
          WHEN 'telegram' THEN contact.telegram_chat_id = %(address)s
                               AND contact.telegram_chat_id <> ''
          WHEN 'email' THEN contact.email = %(address)s
          ELSE contact.phone = %(address)s END
    ORDER BY contact.id
    FOR UPDATE
)
UPDATE messaging_contact AS contact
SET whatsapp_inbound_at = CASE
        WHEN %(channel)s = 'whatsapp' AND %(opens_window)s
             AND %(kind)s <> 'opt_out'
        THEN greatest(contact.whatsapp_inbound_at, %(at)s)
        ELSE contact.whatsapp_inbound_at END,
    opted_out_channels = CASE
        WHEN %(kind)s = 'opt_out' AND %(at)s >= concerned.wished_at
        THEN array_append(array_remove(contact.opted_out_channels, %(channel)s),
                          %(channel)s)
        WHEN %(kind)s = 'opt_in' AND %(at)s > concerned.wished_at
        THEN array_remove(contact.opted_out_channels, %(channel)s)
        ELSE contact.opted_out_channels END,
    wishes_at = CASE
        WHEN %(kind)s IN ('opt_out', 'opt_in') AND %(at)s > concerned.wished_at
        THEN contact.wishes_at
             || jsonb_build_object(%(channel)s::text, %(at)s::timestamptz)
        ELSE contact.wishes_at END,
    updated_at = now()
FROM concerned
WHERE contact.id = concerned.id
RETURNING contact.id
