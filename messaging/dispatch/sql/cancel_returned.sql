-- These came back and wait again; whoever was reached by another run of their chain
-- while they were under way does not need them any more. What a provider only has may
-- still fail, so that an attempt of their own that may arrive goes on to count.
/* as in already_reached.sql */
WHERE message.id = ANY (%(message_ids)s)
  AND message.state = 'queued'
  AND message.broadcast_id IS NOT NULL
  AND EXISTS (
      SELECT
      FROM (
          SELECT id, state
          FROM messaging_message
          WHERE id = message.root_id
          UNION ALL
          SELECT id, state
          FROM messaging_message
          WHERE root_id = message.root_id
      ) AS other
      WHERE other.id <> message.id
        AND (
            other.state IN ('delivered', 'read')
            OR other.state = 'sent' AND NOT (
                /* as in may_arrive.sql */
            )
        )
  )
RETURNING message.id
