-- The file of a message was sent once more; its new address, if one is told. That may
-- be the first word of the message: it is kept, out of the queue and off the member's
-- page, until the message itself comes. The latest word has the address.
INSERT INTO messaging_inboundmessage AS known (
    organization_id, integration_id, message_id, chat_jid, sender_jid, phone,
    push_name, is_from_us, occurred_at, state, reason, requests, kind, text,
    media_url, media_name, media_again_at
)
VALUES (
    %(organization_id)s, %(integration_id)s, %(message_id)s, %(chat_jid)s,
    %(sender_jid)s, '', '', false, %(at)s, 'received', '', 0, '', '', %(media_url)s,
    '', %(at)s
)
ON CONFLICT (integration_id, message_id) DO UPDATE
SET media_url = CASE
        WHEN excluded.media_url <> ''
            AND (known.media_again_at IS NULL
                 OR known.media_again_at <= excluded.media_again_at)
        THEN excluded.media_url ELSE known.media_url END,
    media_again_at = greatest(known.media_again_at, excluded.media_again_at)
RETURNING known.id
