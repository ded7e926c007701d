-- One page of members gets its rows. Each member's row says how it goes out, or
-- why not; a page that comes hours late, after a stop, fails instead of sending.
WITH {routes},
page AS MATERIALIZED (
    SELECT contact.*,
           NULL::bigint AS kept_integration_id,
           NULL::bigint AS kept_content_id,
           NULL::timestamptz AS window_refused_at,
           '' AS held_back
    FROM ({members}) AS contact
),
made AS (
    INSERT INTO messaging_message
        (organization_id, contact_id, broadcast_id, integration_id, content_id,
         due_at, expires_at, day, priority, used_fallback, state, channel, recipient,
         reason, error_code, error_class, parameters)
    SELECT %(organization_id)s, member.id, %(broadcast_id)s, chosen.integration_id,
           chosen.content_id,
           CASE WHEN decision.reason = '' AND NOT %(is_late)s THEN %(run_at)s::timestamptz END,
           %(expires_at)s::timestamptz, %(day)s::date, %(priority)s,
           coalesce(chosen.is_fallback AND decision.reason = '', false),
           CASE
               WHEN decision.reason <> '' THEN 'skipped'
               WHEN %(is_late)s THEN 'failed'
               ELSE 'queued'
           END,
           coalesce(chosen.channel, ''), decision.recipient, decision.reason,
           CASE WHEN decision.reason = '' AND %(is_late)s
               THEN 'resend_admin:missed_time' ELSE '' END,
           CASE WHEN decision.reason = '' AND %(is_late)s THEN 'retry' ELSE '' END,
           jsonb_build_object(
               'name', member.name,
               'first_name', split_part(member.name, ' ', 1),
               'external_id', member.external_id
           )
    FROM page AS member
    {choice}
    ORDER BY member.id
)
SELECT count(*), max(id) FROM page
