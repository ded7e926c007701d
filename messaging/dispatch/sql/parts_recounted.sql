-- Of these attempts' parts something has been told: what their messages, and the other
-- runs of their chains, need to send is asked anew. That of a worker that died stands in
-- for the answers it did not write. A try that did not leave, because nothing was
-- missing, may leave now.
WITH known AS MATERIALIZED (
    SELECT attempt.id, attempt.message_id,
           attempt.parts_sent | (spoken_of.parts & ~spoken_of.taken_back & CASE
               WHEN attempt.parts_inherited = (1 << attempt.parts) - 1
               THEN ~0 ELSE ~attempt.parts_inherited::int END) AS parts_sent
    FROM messaging_attempt AS attempt
    CROSS JOIN LATERAL (
        /* as in parts_spoken_of.sql */
    ) AS spoken_of
    WHERE attempt.id = ANY (%(attempt_id)s::bigint[])
),
noted AS (
    UPDATE messaging_attempt AS attempt
    SET parts_sent = known.parts_sent
    FROM known
    WHERE attempt.id = known.id
      AND attempt.parts > 1
      AND attempt.state <> 'open'
      AND attempt.duration_ms IS NULL
      AND attempt.parts_sent <> known.parts_sent
),
whose AS MATERIALIZED (
    SELECT message.id AS message_id,
           coalesce(message.amended_content_id, message.content_id) AS content_id,
           message.state IN ('failed', 'unknown', 'sent')
               AND message.reason = 'already_reached' AS was_complete
    FROM messaging_message AS message
    WHERE message.id = ANY (ARRAY(
        SELECT run.id
        FROM (SELECT DISTINCT message_id FROM known) AS whose
        CROSS JOIN LATERAL (
            /* as in runs.sql */
        ) AS run
    ))
    ORDER BY message.id
    FOR UPDATE
)
UPDATE messaging_message AS message
SET parts_sent = held.parts,
    reason = CASE WHEN whose.was_complete THEN '' ELSE message.reason END
FROM whose
CROSS JOIN LATERAL (
    /* as in parts_held.sql */
) AS held
WHERE message.id = whose.message_id
  AND message.parts_sent <> held.parts
RETURNING message.id,
          whose.was_complete AND message.state = 'failed' AS lacks_again
