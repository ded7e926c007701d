-- Messages that came in, readable or not, in any order and any number of times. What
-- can be read stays so; what could not, and now can, is recovered. Of what only a file
-- was known until now, this is the first word; the file that was sent once more keeps
-- its newer address.
WITH heard AS (
    SELECT *
    FROM unnest(
        %(organization_id)s::bigint[], %(integration_id)s::bigint[],
        %(message_id)s::text[], %(chat_jid)s::text[], %(sender_jid)s::text[],
        %(phone)s::text[], %(push_name)s::text[], %(is_from_us)s::boolean[],
        %(occurred_at)s::timestamptz[], %(is_readable)s::boolean[], %(kind)s::text[],
        %(text)s::text[], %(media_url)s::text[], %(media_name)s::text[]
    ) AS heard (
        organization_id, integration_id, message_id, chat_jid, sender_jid, phone,
        push_name, is_from_us, occurred_at, is_readable, kind, text, media_url,
        media_name
    )
), before AS MATERIALIZED (
    SELECT known.integration_id, known.message_id, known.state
    FROM messaging_inboundmessage AS known
    JOIN heard USING (integration_id, message_id)
    ORDER BY known.integration_id, known.message_id
    FOR UPDATE OF known
), written AS (
    INSERT INTO messaging_inboundmessage AS known (
        organization_id, integration_id, message_id, chat_jid, sender_jid, phone,
        push_name, is_from_us, occurred_at, heard_at, state, reason, requests, kind,
        text, media_url, media_name
    )
    SELECT heard.organization_id, heard.integration_id, heard.message_id,
           heard.chat_jid, heard.sender_jid, heard.phone, heard.push_name,
           heard.is_from_us, heard.occurred_at, clock_timestamp(),
           CASE WHEN heard.is_readable THEN 'received' ELSE 'waiting' END, '', 0,
           heard.kind, heard.text, heard.media_url, heard.media_name
    FROM heard
    LEFT JOIN before USING (integration_id, message_id)
    ORDER BY heard.integration_id, heard.message_id
    ON CONFLICT (integration_id, message_id) DO UPDATE
    SET heard_at = coalesce(known.heard_at, excluded.heard_at),
        occurred_at = CASE WHEN known.heard_at IS NULL THEN excluded.occurred_at
                      ELSE known.occurred_at END,
        push_name = coalesce(nullif(excluded.push_name, ''), known.push_name),
        phone = coalesce(nullif(known.phone, ''), excluded.phone),
        sender_jid = coalesce(nullif(known.sender_jid, ''), excluded.sender_jid),
        is_from_us = CASE WHEN known.heard_at IS NULL THEN excluded.is_from_us
                     ELSE known.is_from_us END,
        state = CASE
            WHEN known.state = 'received' AND known.heard_at IS NULL
            THEN excluded.state
            WHEN excluded.state = 'received'
                AND known.state IN ('waiting', 'requested', 'expired')
            THEN 'recovered' ELSE known.state END,
        closed_at = CASE
            WHEN excluded.state = 'received'
                AND known.state IN ('waiting', 'requested', 'expired')
            THEN clock_timestamp() ELSE known.closed_at END,
        reason = CASE WHEN excluded.state = 'received' THEN '' ELSE known.reason END,
        kind = coalesce(nullif(excluded.kind, ''), known.kind),
        text = coalesce(nullif(excluded.text, ''), known.text),
        media_url = CASE
            WHEN known.media_again_at IS NOT NULL AND known.media_url <> ''
            THEN known.media_url
            ELSE coalesce(nullif(excluded.media_url, ''), known.media_url) END,
        media_name = coalesce(nullif(excluded.media_name, ''), known.media_name)
    RETURNING organization_id, integration_id, message_id, chat_jid, phone, requests,
              state, closed_at
)
SELECT written.organization_id, written.message_id, written.chat_jid, written.phone,
       written.requests, written.closed_at
FROM written
LEFT JOIN before USING (integration_id, message_id)
WHERE written.state = 'recovered' AND before.state IS DISTINCT FROM 'recovered'
ORDER BY written.message_id
