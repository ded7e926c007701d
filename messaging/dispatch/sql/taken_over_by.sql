-- Part of a statement: runs of the same broadcast that took over the person of
-- "message". A run did that when it reached them, is about to, or tried later.
    message.broadcast_id IS NOT NULL
    AND EXISTS (
        SELECT
        FROM (
            SELECT run.id, run.state, run.broadcast_id
            FROM messaging_message AS run
            WHERE run.root_id = coalesce(message.root_id, message.id)
            UNION ALL
            SELECT run.id, run.state, run.broadcast_id
            FROM messaging_message AS run
            WHERE run.id = message.root_id
        ) AS other
        WHERE other.id <> message.id
          AND other.broadcast_id IS NOT NULL
          AND (
              other.state IN
                  ('planned', 'queued', 'sending', 'sent', 'delivered', 'read')
              OR other.state IN ('failed', 'unknown') AND other.id > message.id
          )
    )
