-- One page of a retry's planned rows, each with the way it goes out now. The
-- provider's own word that a window was closed beats what we believe about it, and
-- a member whom another run reached meanwhile is left in peace.
WITH {routes},
planned AS MATERIALIZED (
    SELECT id, contact_id, integration_id, content_id, root_id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND state = 'planned'
    ORDER BY id
    LIMIT %(limit)s
),
page AS MATERIALIZED (
    SELECT planned.id AS message_id,
           contact.phone, contact.email, contact.telegram_chat_id,
           contact.opted_out_channels, contact.whatsapp_inbound_at,
           CASE WHEN NOT %(routes_changed)s
               THEN planned.integration_id END AS kept_integration_id,
           CASE WHEN NOT %(routes_changed)s
               THEN planned.content_id END AS kept_content_id,
           source.state_at AS window_refused_at,
           EXISTS (
               SELECT FROM messaging_message AS run
               WHERE run.root_id = planned.root_id
                 AND run.state IN ('sent', 'delivered', 'read')
           ) OR EXISTS (
               SELECT FROM messaging_message AS run
               WHERE run.id = planned.root_id
                 AND run.state IN ('sent', 'delivered', 'read')
           ) AS is_reached
    FROM planned
    JOIN messaging_contact AS contact ON contact.id = planned.contact_id
    LEFT JOIN messaging_message AS source
      ON source.broadcast_id = %(source_id)s
     AND source.contact_id = planned.contact_id
     AND source.error_code LIKE 'whatsapp:131047%%'
)
SELECT member.message_id,
       chosen.integration_id,
       chosen.content_id,
       coalesce(chosen.channel, '') AS channel,
       decision.recipient,
       coalesce(chosen.is_fallback, false) AS used_fallback,
       decision.reason
FROM page AS member
{choice}
ORDER BY member.message_id
