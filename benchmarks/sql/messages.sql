-- The messages of some lots, in the order in which they were made. What becomes of
-- each is drawn from its number; of a broadcast that is still sending the last third
-- waits, and every thousandth is under way.
WITH outcome AS MATERIALIZED (
    SELECT * FROM /* outcomes */
),
lot AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(lot_broadcast_id)s::bigint[], %(lot_integration_id)s::bigint[],
        %(lot_content_id)s::bigint[], %(lot_channel)s::text[],
        %(lot_at)s::timestamptz[], %(lot_start)s::bigint[], %(lot_first)s::int[],
        %(lot_size)s::int[], %(lot_total)s::int[], %(lot_is_sending)s::bool[]
    ) WITH ORDINALITY AS l (broadcast_id, integration_id, content_id, channel, at,
                            start, first, size, total, is_sending, place)
),
drawn AS (
    SELECT lot.*,
           n,
           -- A prime step through the members, so that broadcasts overlap.
           %(first_member_id)s + (lot.start + n) %% %(members)s AS contact_id,
           -- Rows are made a few thousand at a time, half a second apart.
           least(lot.at + n / 5000 * interval '0.5 s', %(now)s) AS created_at,
           hashint8extended(n, lot.place + lot.start) & 1048575 AS luck
    FROM lot
    CROSS JOIN LATERAL generate_series(lot.first, lot.first + lot.size - 1) AS n
),
decided AS (
    SELECT drawn.*,
           CASE WHEN waits THEN 'queued' WHEN leaves THEN 'sending' ELSE o.state END
               AS state,
           CASE WHEN waits OR leaves THEN '' ELSE o.error_code END AS error_code,
           CASE WHEN waits OR leaves THEN '' ELSE o.error_class END AS error_class,
           CASE WHEN waits OR leaves THEN '' ELSE o.reason END AS reason,
           CASE
               WHEN waits OR NOT leaves AND o.state IN ('skipped', 'cancelled') THEN 0
               WHEN luck / 2000 %% 100 < 92 THEN 1
               WHEN luck / 2000 %% 100 < 98 THEN 2
               ELSE 3
           END AS tries
    FROM drawn
    CROSS JOIN LATERAL (
        SELECT drawn.is_sending AND n * 3 >= drawn.total * 2 AS waits,
               drawn.is_sending AND n %% 1000 = 1 AS leaves
    ) AS moment
    JOIN outcome AS o ON o.channel = drawn.channel AND o.slot = luck %% 2000
)
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, integration_id, content_id, created_at,
     state_at, due_at, sent_at, delivered_at, read_at, day, attempt_count, priority,
     state, channel, recipient, reason, error_code, error_class, asked_by, parameters)
SELECT %(organization_id)s,
       contact_id,
       broadcast_id,
       CASE WHEN reason <> 'no_route' THEN integration_id END,
       CASE WHEN reason <> 'no_route' THEN content_id END,
       decided.created_at,
       least(decided.created_at + (5 + luck %% 600) * interval '1 s', %(now)s),
       CASE state WHEN 'queued' THEN greatest(decided.created_at, %(now)s - interval '5 s') END,
       CASE WHEN state IN ('sent', 'delivered', 'read')
           THEN least(decided.created_at + n * interval '2 ms', %(now)s) END,
       CASE WHEN state IN ('delivered', 'read')
           THEN least(decided.created_at + (5 + luck %% 300) * interval '1 s', %(now)s) END,
       CASE state WHEN 'read'
           THEN least(decided.created_at + (5 + luck %% 600) * interval '1 s', %(now)s) END,
       decided.created_at::date,
       tries,
       CASE WHEN broadcast_id IS NULL THEN 0 ELSE 5 END,
       state,
       CASE WHEN reason = 'no_route' THEN '' ELSE decided.channel END,
       CASE
           WHEN reason = 'no_route' THEN ''
           WHEN decided.channel IN ('whatsapp', 'sms') THEN contact.phone
           WHEN decided.channel = 'email' THEN contact.email
           ELSE contact.telegram_chat_id
       END,
       reason,
       error_code,
       error_class,
       CASE WHEN broadcast_id IS NULL THEN 'api' ELSE 'broadcast' END,
       jsonb_build_object(
           'name', contact.name,
           'first_name', split_part(contact.name, ' ', 1),
           'external_id', contact.external_id
       )
FROM decided
JOIN messaging_contact AS contact ON contact.id = decided.contact_id
ORDER BY place, n
