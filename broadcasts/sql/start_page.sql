-- One page of a retry's planned rows, each with the way it goes out now. The
-- provider's own word that a window was closed beats what we believe about it. A
-- member whom another run reached meanwhile is left in peace; so is one whom another
-- run is sending to, or was to be first, and one who has come to be in doubt since the
-- row that is retried. Every look-up is a probe of an index whatever statistics say:
-- they know nothing of new rows yet.
WITH {routes},
planned AS MATERIALIZED (
    SELECT id, contact_id, integration_id, content_id, root_id
    FROM messaging_message
    WHERE broadcast_id = %(broadcast_id)s
      AND state = 'planned'
      AND id > %(filled_to)s
    ORDER BY id
    LIMIT %(limit)s
),
page AS MATERIALIZED (
    SELECT planned.id AS message_id,
           contact.*,
           CASE WHEN NOT %(routes_changed)s
               THEN planned.integration_id END AS kept_integration_id,
           CASE WHEN NOT %(routes_changed)s
               THEN planned.content_id END AS kept_content_id,
           chain.window_refused_at,
           CASE
               WHEN chain.is_reached THEN 'already_reached'
               WHEN chain.is_on_its_way THEN 'on_its_way'
               WHEN NOT %(includes_unknown)s
                   AND chain.last_in_doubt >= coalesce(chain.retried, 0) THEN 'in_doubt'
               ELSE ''
           END AS held_back
    FROM planned
    CROSS JOIN LATERAL (
        SELECT phone, email, telegram_chat_id, opted_out_channels, whatsapp_inbound_at
        FROM messaging_contact
        WHERE id = planned.contact_id
        LIMIT 1
    ) AS contact
    CROSS JOIN LATERAL (
        SELECT bool_or(state IN ('sent', 'delivered', 'read')) AS is_reached,
               bool_or(
                   state IN ('queued', 'sending') OR state = 'planned' AND id < planned.id
               ) AS is_on_its_way,
               max(id) FILTER (WHERE state = 'unknown') AS last_in_doubt,
               max(id) FILTER (WHERE broadcast_id = %(source_id)s) AS retried,
               max(state_at) FILTER (
                   WHERE broadcast_id = %(source_id)s
                     AND error_code LIKE 'whatsapp:131047%%'
               ) AS window_refused_at
        FROM (
            SELECT id, broadcast_id, state, state_at, error_code
            FROM messaging_message
            WHERE root_id = planned.root_id
            UNION ALL
            SELECT id, broadcast_id, state, state_at, error_code
            FROM messaging_message
            WHERE id = planned.root_id
        ) AS run
    ) AS chain
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
