-- Failed messages whose organization retries this channel by itself, unless another
-- run has taken the person over.
SELECT message.id AS message_id,
       message.organization_id,
       message.attempt_count,
       greatest(0, message.attempt_count - message.given_back - 1) AS resends,
       message.error_code,
       extract(epoch FROM clock_timestamp() - message.created_at)::float AS age,
       message.channel = ANY (contact.opted_out_channels) AS opted_out,
       greatest(0, coalesce(extract(epoch FROM
           pace.paused_until - clock_timestamp()), 0))::float AS provider_pause,
       organization.resend_limit,
       organization.resend_max_age_hours,
       organization.resend_ladder_minutes,
       stopped.id IS NOT NULL AS is_stopped
FROM messaging_message AS message
JOIN messaging_automaticretry AS automatic
  ON automatic.organization_id = message.organization_id
 AND automatic.channel = message.channel
 AND automatic.is_on
JOIN messaging_organization AS organization
  ON organization.id = message.organization_id
JOIN messaging_contact AS contact ON contact.id = message.contact_id
LEFT JOIN messaging_integrationpace AS pace
  ON pace.integration_id = message.integration_id
LEFT JOIN messaging_stoppedretry AS stopped
  ON stopped.organization_id = message.organization_id
 AND stopped.error_code = message.error_code
 AND stopped.resumed_at IS NULL
WHERE message.id = ANY (%(message_ids)s)
  AND message.state = 'failed'
  AND NOT (
    /* as in taken_over_by.sql */
  )
  AND NOT (
    /* as in every_part_sent.sql */
  )
  -- A person ended this broadcast; nothing of it begins again by itself.
  AND NOT EXISTS (
      SELECT
      FROM messaging_endedbroadcast AS ended
      WHERE ended.broadcast_id = message.broadcast_id
  )
ORDER BY message.id
