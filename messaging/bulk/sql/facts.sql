-- What the rule of a resend needs to know about the messages in "asked", as of so
-- many seconds from now. One line per message.
    SELECT message.id,
           message.state,
           message.attempt_count,
           greatest(0, message.attempt_count - message.given_back - 1) AS resends,
           message.error_code,
           message.channel AS way_channel,
           message.integration_id,
           extract(epoch FROM now() - message.created_at)::float + %(later)s AS age,
           extract(epoch FROM now() - message.state_at)::float + %(later)s
               AS since_failure,
           greatest(0, coalesce(extract(epoch FROM
               pace.paused_until - now())::float - %(later)s, 0)) AS provider_pause,
           message.channel = ANY (contact.opted_out_channels) AS opted_out,
           message.channel = 'whatsapp' AND coalesce(
               extract(epoch FROM now() - contact.whatsapp_inbound_at)::float
                   + %(later)s < %(window)s
               AND contact.whatsapp_inbound_at >= message.state_at, false)
               AS window_open,
           coalesce(integration.state, '') AS integration_state,
           coalesce(integration.kind, '') AS integration_kind,
           coalesce(integration.credit_price, 0) AS price,
           coalesce(account.available, 0) AS credits,
           message.state IN ('failed', 'unknown') AND (
               /* taken over */
           ) AS is_taken_over,
           (
               /* every part sent */
           ) AS is_every_part_sent
    FROM asked
    JOIN messaging_message AS message ON message.id = asked.id
    JOIN messaging_contact AS contact ON contact.id = message.contact_id
    LEFT JOIN messaging_integration AS integration
      ON integration.id = message.integration_id
    LEFT JOIN messaging_integrationpace AS pace
      ON pace.integration_id = message.integration_id
    LEFT JOIN messaging_creditaccount AS account
      ON account.organization_id = message.organization_id
