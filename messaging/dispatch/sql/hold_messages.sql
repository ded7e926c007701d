-- Messages, and of each the first of its chain: one row that all runs to a person have
-- in common. Where that one has aged out, the oldest that is left stands for it; by
-- min(id) alone, PostgreSQL might look for it along the primary key.
WITH held AS MATERIALIZED (
    SELECT id
    FROM messaging_message
    WHERE id = ANY (ARRAY(
        SELECT unnest(%(message_ids)b::bigint[])
        UNION
        SELECT coalesce(
            (SELECT id FROM messaging_message WHERE id = message.root_id),
            (
                SELECT min(kept.id)
                FROM (
                    SELECT id
                    FROM messaging_message
                    WHERE root_id = message.root_id
                    OFFSET 0
                ) AS kept
            )
        )
        FROM messaging_message AS message
        WHERE id = ANY (%(message_ids)b::bigint[])
          AND root_id IS NOT NULL
    ))
    ORDER BY id
    FOR NO KEY UPDATE
)
SELECT count(*) AS number FROM held
