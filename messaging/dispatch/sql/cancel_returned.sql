-- These came back and wait again; whoever was reached by another run of their chain
-- while they were under way does not need them any more.
/* as in already_reached.sql */
WHERE message.id = ANY (%(message_ids)s)
  AND message.state = 'queued'
  AND message.broadcast_id IS NOT NULL
  AND (
      EXISTS (
          SELECT
          FROM messaging_message AS other
          WHERE other.id = message.root_id
            AND other.state IN ('delivered', 'read')
      )
      OR EXISTS (
          SELECT
          FROM messaging_message AS other
          WHERE other.root_id = message.root_id
            AND other.id <> message.id
            AND other.state IN ('delivered', 'read')
      )
  )
RETURNING message.id
