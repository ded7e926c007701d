-- A page of the rows of a retry: each failed row that the person saw, no other. They
-- carry over what the source sent, to whom, and how much of a flow has arrived, be it
-- by the source or by another run: nobody gets the first part again. The
-- lock keeps a resend of the very same row from slipping in between. Whoever another
-- run is sending to since the retry was confirmed, or who has come to be in doubt, is
-- given back: that other row goes on alone. Who was reached since then is found out
-- when the retry starts.
-- They also say what came before them in the chain, for the tallies of their attempts.
INSERT INTO messaging_message
    (organization_id, contact_id, broadcast_id, root_id, integration_id, content_id,
     due_at, expires_at, day, priority, used_fallback, state, reason, channel,
     recipient, parameters, parts_sent, earlier_tries, earlier_error, first_failed_at, first_day)
SELECT source.organization_id, source.contact_id, %(broadcast_id)s,
       coalesce(source.root_id, source.id), source.integration_id, source.content_id,
       CASE given_back.reason WHEN '' THEN %(run_at)s::timestamptz END,
       %(expires_at)s::timestamptz, %(day)s::date, %(priority)s, source.used_fallback,
       CASE given_back.reason WHEN '' THEN 'planned' ELSE 'cancelled' END,
       given_back.reason,
       source.channel, source.recipient, source.parameters,
       -- Of a source that was sent with other words, its parts are those of the others.
       CASE WHEN source.amended_content_id IS NULL
           THEN source.parts_sent | chain.parts_sent
           ELSE coalesce((
               SELECT held.parts
               FROM (SELECT source.id AS message_id, source.content_id) AS whose
               CROSS JOIN LATERAL (
                   {parts_held}
               ) AS held
           ), 0) END,
       chain.tries, chain.error, source.first_failed_at,
       coalesce(source.first_day, source.day)
FROM unnest(%(message_ids)s::bigint[]) AS chosen (id)
JOIN messaging_message AS source ON source.id = chosen.id
CROSS JOIN LATERAL (
    SELECT sum(run.attempt_count - run.given_back) AS tries,
           coalesce((array_agg(run.error_code ORDER BY run.id DESC) FILTER (
               WHERE run.state IN ('failed', 'unknown')
           ))[1], '') AS error,
           coalesce(bit_or(run.parts_sent) FILTER (
               WHERE run.content_id = source.content_id
                 AND run.amended_content_id IS NULL
           ), 0::smallint) AS parts_sent,
           bool_or(run.state IN ('planned', 'queued', 'sending')) AS is_on_its_way,
           bool_or(run.state = 'unknown' AND run.id > source.id) AS is_in_doubt
    FROM (
        SELECT id, state, error_code, attempt_count, given_back, parts_sent,
               content_id, amended_content_id
        FROM messaging_message
        WHERE id = coalesce(source.root_id, source.id)
        UNION ALL
        SELECT id, state, error_code, attempt_count, given_back, parts_sent,
               content_id, amended_content_id
        FROM messaging_message
        WHERE root_id = coalesce(source.root_id, source.id)
          AND broadcast_id IS NOT NULL
    ) AS run
) AS chain
-- Of the source itself, the row that is locked is asked: it may be newer than the chain.
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN chain.is_on_its_way
                   OR source.state IN ('planned', 'queued', 'sending') THEN 'on_its_way'
               WHEN NOT %(includes_unknown)s
                   AND (chain.is_in_doubt OR source.state = 'unknown') THEN 'in_doubt'
               ELSE ''
           END AS reason
) AS given_back
ORDER BY source.id
FOR NO KEY UPDATE OF source
