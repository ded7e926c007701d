-- A page of the members of a retry that has started and of whom only the numbers are
-- written down: each gets its row, once, in the state in which it goes out or is held
-- back. This is freeze_members and start_page in one, and judges as they do: who was
-- reached, is on the way, or came to be in doubt since the retry was confirmed, is not
-- sent to. The chain is read a single time, and held by the statement before: no resend
-- and no receipt of any of its runs slips in between.
-- Of a source that was sent with other words meanwhile it takes over the parts of those,
-- and returns it: own_parts corrects its row. To ask for them here made the statement a
-- sixth slower for everybody.
WITH {routes},
taken AS MATERIALIZED (
    SELECT source.id, source.organization_id, source.contact_id,
           coalesce(source.root_id, source.id) AS root_id, source.integration_id,
           source.content_id, source.amended_content_id, source.error_code,
           source.parameters, source.first_failed_at,
           coalesce(source.first_day, source.day) AS first_day,
           source.parts_sent | chain.parts_sent AS parts_sent,
           chain.tries, chain.is_reached, chain.is_on_its_way, chain.is_in_doubt,
           chain.window_refused_at, chain.last_failure
    FROM unnest(%(message_ids)s::bigint[]) AS chosen (id)
    JOIN messaging_message AS source ON source.id = chosen.id
    CROSS JOIN LATERAL (
        -- Copies of a message that was sent on its own belong to it as well; they are
        -- no runs.
        SELECT sum(run.attempt_count - run.given_back) FILTER (WHERE run.is_run) AS tries,
               coalesce(bit_or(run.parts_sent) FILTER (
                   WHERE run.is_run
                     AND run.content_id = source.content_id
                     AND run.amended_content_id IS NULL
               ), 0::smallint) AS parts_sent,
               bool_or(run.state IN ('sent', 'delivered', 'read')) AS is_reached,
               bool_or(run.state IN ('planned', 'queued', 'sending')) AS is_on_its_way,
               bool_or(run.state = 'unknown' AND run.id >= source.id) AS is_in_doubt,
               max(run.state_at) FILTER (
                   WHERE run.broadcast_id = %(source_id)s
                     AND run.error_code LIKE 'whatsapp:131047%%'
               ) AS window_refused_at,
               max(run.id) FILTER (
                   WHERE run.is_run AND run.state IN ('failed', 'unknown')
               ) AS last_failure
        FROM (
            SELECT source.id, source.broadcast_id, source.state, source.state_at,
                   source.error_code, source.attempt_count, source.given_back,
                   source.parts_sent, source.content_id, source.amended_content_id,
                   true AS is_run
            UNION ALL
            SELECT id, broadcast_id, state, state_at, error_code, attempt_count,
                   given_back, parts_sent, content_id, amended_content_id, true
            FROM messaging_message
            WHERE id = source.root_id
            UNION ALL
            SELECT id, broadcast_id, state, state_at, error_code, attempt_count,
                   given_back, parts_sent, content_id, amended_content_id,
                   broadcast_id IS NOT NULL
            FROM messaging_message
            WHERE root_id = coalesce(source.root_id, source.id)
              AND id <> source.id
        ) AS run
    ) AS chain
),
member AS (
    SELECT taken.*,
           contact.*,
           CASE WHEN NOT %(routes_changed)s
               THEN taken.integration_id END AS kept_integration_id,
           CASE WHEN NOT %(routes_changed)s THEN taken.content_id END AS kept_content_id,
           CASE
               WHEN taken.is_reached THEN 'already_reached'
               WHEN taken.is_on_its_way THEN 'on_its_way'
               WHEN NOT %(includes_unknown)s AND taken.is_in_doubt THEN 'in_doubt'
               ELSE ''
           END AS held_back
    FROM taken
    CROSS JOIN LATERAL (
        SELECT phone, email, telegram_chat_id, opted_out_channels, whatsapp_inbound_at
        FROM messaging_contact
        WHERE id = taken.contact_id
        LIMIT 1
    ) AS contact
),
decided AS MATERIALIZED (
    SELECT member.id, member.organization_id, member.contact_id, member.root_id,
           member.parameters, member.tries, member.first_failed_at, member.first_day,
           CASE member.last_failure
               WHEN member.id THEN member.error_code
               ELSE coalesce((
                   SELECT error_code
                   FROM messaging_message
                   WHERE id = member.last_failure
               ), '')
           END AS error,
           coalesce(chosen.integration_id, member.integration_id) AS integration_id,
           coalesce(chosen.content_id, member.content_id) AS content_id,
           coalesce(chosen.channel, '') AS channel,
           coalesce(chosen.is_fallback, false) AS used_fallback,
           CASE WHEN chosen.content_id IS NULL OR chosen.content_id = member.content_id
               THEN member.parts_sent ELSE 0 END AS parts_sent,
           decision.recipient, decision.reason,
           CASE
               WHEN decision.reason = '' THEN 'queued'
               WHEN decision.reason IN ('on_its_way', 'in_doubt') THEN 'cancelled'
               ELSE 'skipped'
           END AS state
    FROM member
    {choice}
),
made AS (
    INSERT INTO messaging_message
        (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
         due_at, expires_at, day, priority, used_fallback, state, reason, channel,
         recipient, parameters, parts_sent, earlier_tries, earlier_error,
         first_failed_at, first_day)
    SELECT organization_id, contact_id, %(broadcast_id)s, root_id, integration_id,
           content_id, CASE state WHEN 'queued' THEN %(run_at)s::timestamptz END,
           %(expires_at)s::timestamptz, %(day)s::date, %(priority)s, used_fallback,
           state, reason, channel, recipient, parameters, parts_sent, tries, error,
           first_failed_at, first_day
    FROM decided
    ORDER BY id
)
SELECT id FROM taken WHERE amended_content_id IS NOT NULL
