-- The way to one member, joined to a relation "member". A route counts when the
-- member has an address there, has not opted out, and the content may go there now.
-- Routes stand before fallbacks. A retry keeps the way its row had, unless its
-- routes were changed meanwhile (then kept_integration_id is empty).
CROSS JOIN LATERAL (
    SELECT coalesce(
               min(route.place) FILTER (
                   WHERE reach.address <> '' AND reach.consents AND reach.is_open
                     AND route.integration_id = member.kept_integration_id
                     AND route.content_id = member.kept_content_id
               ),
               min(route.place) FILTER (
                   WHERE reach.address <> '' AND reach.consents AND reach.is_open
               )
           ) AS place,
           coalesce(bool_or(reach.address <> ''), false) AS is_routed,
           coalesce(bool_or(reach.address <> '' AND reach.consents), false) AS consents
    FROM route
    CROSS JOIN LATERAL (
        SELECT CASE route.channel
                   WHEN 'whatsapp' THEN member.phone
                   WHEN 'sms' THEN member.phone
                   WHEN 'email' THEN member.email
                   WHEN 'telegram' THEN member.telegram_chat_id
                   ELSE ''
               END AS address,
               NOT route.channel = ANY (member.opted_out_channels) AS consents,
               route.needs_window IS FALSE
                   OR member.whatsapp_inbound_at > greatest(
                       now() - interval '24 hours', member.window_refused_at
                   ) AS is_open
    ) AS reach
) AS judged
LEFT JOIN route AS chosen ON chosen.place = judged.place
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN %(refusal)s <> '' THEN %(refusal)s
               WHEN member.held_back <> '' THEN member.held_back
               WHEN chosen.place IS NOT NULL THEN ''
               WHEN judged.consents THEN 'window_closed'
               WHEN judged.is_routed THEN 'opted_out'
               WHEN member.phone = '' AND member.email = ''
                   AND member.telegram_chat_id = '' THEN 'no_channel'
               ELSE 'no_route'
           END AS reason,
           CASE chosen.channel
               WHEN 'whatsapp' THEN member.phone
               WHEN 'sms' THEN member.phone
               WHEN 'email' THEN member.email
               WHEN 'telegram' THEN member.telegram_chat_id
               ELSE ''
           END AS recipient
) AS decision
