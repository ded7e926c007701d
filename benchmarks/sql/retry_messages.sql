-- A retry of everybody who failed in one broadcast, and what became of it.
WITH outcome AS MATERIALIZED (
    SELECT * FROM /* outcomes */
),
decided AS (
    SELECT source.*,
           o.state AS new_state,
           o.error_code AS new_code,
           o.error_class AS new_class,
           o.reason AS new_reason
    FROM messaging_message AS source
    JOIN outcome AS o
      ON o.channel = source.channel
     AND o.slot = hashint8extended(source.contact_id, 7) & 1023
    WHERE source.broadcast_id = %(source_id)s
      AND source.state = 'failed'
)
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
     created_at, state_at, due_at, sent_at, delivered_at, read_at, day, attempt_count,
     priority, state, channel, recipient, reason, error_code, error_class, parameters)
SELECT organization_id,
       contact_id,
       %(broadcast_id)s,
       id,
       CASE WHEN new_reason <> 'no_route' THEN integration_id END,
       CASE WHEN new_reason <> 'no_route' THEN content_id END,
       %(at)s,
       %(at)s::timestamptz + interval '1 minute',
       CASE new_state WHEN 'queued' THEN %(now)s END,
       CASE WHEN new_state IN ('sent', 'delivered', 'read') THEN %(at)s END,
       CASE WHEN new_state IN ('delivered', 'read')
           THEN %(at)s::timestamptz + interval '20 s' END,
       CASE new_state WHEN 'read' THEN %(at)s::timestamptz + interval '1 minute' END,
       (%(at)s::timestamptz)::date,
       CASE WHEN new_state IN ('skipped', 'cancelled') THEN 0 ELSE 1 END,
       5,
       new_state,
       CASE WHEN new_reason = 'no_route' THEN '' ELSE channel END,
       CASE WHEN new_reason = 'no_route' THEN '' ELSE recipient END,
       new_reason,
       new_code,
       new_class,
       parameters
FROM decided
ORDER BY id
