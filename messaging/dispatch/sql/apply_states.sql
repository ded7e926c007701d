-- Later words: an attempt climbs to a higher rank or stays where it is. Its message
-- follows when it arrived, when this is still its latest attempt, or when it was in
-- doubt because of this one.
WITH told AS (
    SELECT *
    FROM unnest(
        %(attempt_id)s::bigint[], %(state)s::text[], %(rank)s::int[],
        %(error_code)s::text[], %(error_class)s::text[], %(error_detail)s::text[],
        %(at)s::timestamptz[]
    ) AS t (attempt_id, state, rank, error_code, error_class, error_detail, at)
),
known AS MATERIALIZED (
    SELECT attempt.id,
           array_position(
               ARRAY['open', 'unknown', 'sent', 'failed', 'delivered', 'read'],
               attempt.state::text
           ) - 1 AS rank
    FROM messaging_attempt AS attempt
    WHERE attempt.id = ANY (%(attempt_id)s::bigint[])
    ORDER BY attempt.id
    FOR UPDATE
),
changed AS (
    UPDATE messaging_attempt AS attempt
    SET state = told.state,
        closed_at = coalesce(attempt.closed_at, now()),
        delivered_at = CASE WHEN told.rank >= 4
            THEN coalesce(attempt.delivered_at, told.at) ELSE attempt.delivered_at END,
        error_code = CASE told.state
            WHEN 'failed' THEN told.error_code ELSE attempt.error_code END,
        error_class = CASE told.state
            WHEN 'failed' THEN told.error_class ELSE attempt.error_class END,
        error_detail = CASE told.state
            WHEN 'failed' THEN told.error_detail ELSE attempt.error_detail END
    FROM told
    JOIN known ON known.id = told.attempt_id AND known.rank < told.rank
    WHERE attempt.id = known.id
    RETURNING attempt.id, attempt.message_id, attempt.number, attempt.state, told.rank,
              told.at, attempt.error_code, attempt.error_class, attempt.price,
              attempt.chain_offset, attempt.opened_at,
              CASE WHEN told.rank >= 4 THEN attempt.first_failed_at END
                  AS recovers_from
),
word AS (
    -- One word per message: an arrival by any attempt, else the latest attempt's.
    SELECT DISTINCT ON (message_id) *
    FROM changed
    ORDER BY message_id, (rank >= 4) DESC, CASE WHEN rank >= 4 THEN rank END DESC,
             number DESC
),
locked AS MATERIALIZED (
    SELECT message.id, message.state AS before, word.rank >= 4 AS arrived
    FROM messaging_message AS message
    JOIN word ON word.message_id = message.id
    WHERE CASE
        WHEN word.rank >= 4 THEN
            message.state <> 'read'
            AND NOT (message.state = 'delivered' AND word.rank = 4)
        WHEN word.number = message.attempt_count THEN
            coalesce(array_position(
                ARRAY['sending', 'unknown', 'sent', 'failed'], message.state::text
            ) - 1, 9) < word.rank
        ELSE message.state IN ('unknown', 'sent')
        END
    ORDER BY message.id
    FOR UPDATE OF message
),
standing AS (
    -- What all attempts together say of a message that has not arrived: a provider
    -- has it, or nobody can tell, or else the latest of them has failed.
    SELECT DISTINCT ON (locked.id)
           locked.id,
           coalesce(changed.state, attempt.state) AS state,
           coalesce(changed.error_code, attempt.error_code) AS error_code,
           coalesce(changed.error_class, attempt.error_class) AS error_class
    FROM locked
    JOIN messaging_attempt AS attempt ON attempt.message_id = locked.id
    LEFT JOIN changed ON changed.id = attempt.id
    WHERE NOT locked.arrived
    ORDER BY locked.id,
             array_position(
                 ARRAY['sent', 'unknown'], coalesce(changed.state, attempt.state)::text
             ),
             attempt.number DESC
),
moved AS (
    UPDATE messaging_message AS message
    SET state = coalesce(standing.state, word.state),
        state_at = now(),
        due_at = NULL,
        reason = '',
        sent_at = CASE WHEN coalesce(standing.state, word.state) IN ('failed', 'unknown')
            THEN message.sent_at
            -- What arrived had left before: when it did is on record, if nothing else.
            ELSE coalesce(
                message.sent_at,
                CASE WHEN word.rank >= 4 THEN word.opened_at ELSE word.at END
            ) END,
        delivered_at = CASE WHEN word.rank >= 4
            THEN coalesce(message.delivered_at, word.at) END,
        read_at = CASE WHEN word.state = 'read' THEN word.at ELSE message.read_at END,
        error_code = CASE WHEN standing.state IN ('failed', 'unknown')
            THEN standing.error_code ELSE '' END,
        error_class = CASE WHEN standing.state IN ('failed', 'unknown')
            THEN standing.error_class ELSE '' END,
        -- What recovered a message is whatever arrived first, and stays that.
        recovered_in = CASE
            WHEN message.delivered_at IS NOT NULL THEN message.recovered_in
            WHEN word.recovers_from IS NOT NULL
            THEN greatest(0, extract(epoch FROM word.at - word.recovers_from)) END,
        recovered_by = CASE
            WHEN message.delivered_at IS NOT NULL THEN message.recovered_by
            WHEN word.recovers_from IS NOT NULL
            THEN word.chain_offset + word.number - 1 END,
        recovered_for = CASE
            WHEN message.delivered_at IS NOT NULL THEN message.recovered_for
            WHEN word.recovers_from IS NOT NULL THEN word.price END
    FROM word
    JOIN locked ON locked.id = word.message_id
    LEFT JOIN standing ON standing.id = locked.id
    WHERE message.id = locked.id
      AND (locked.arrived OR standing.state IS DISTINCT FROM locked.before)
    RETURNING message.id, message.state
)
SELECT changed.id AS attempt_id,
       moved.id AS message_id,
       moved.state
FROM changed
LEFT JOIN moved ON moved.id = changed.message_id
