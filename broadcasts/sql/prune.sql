-- One batch of messages that have come to rest, with their attempts. The rows of a
-- broadcast age from its start, so a retry planned weeks ahead is kept as long. A batch
-- begins where the one before it ended: what that one removed, and what it had to leave,
-- is not walked through again. Numbers are given out in the order of time.
WITH old AS MATERIALIZED (
    SELECT message.id
    FROM messaging_message AS message
    LEFT JOIN broadcasts_broadcast AS broadcast ON broadcast.id = message.broadcast_id
    WHERE message.organization_id = %(organization_id)s
      AND message.id > %(since)s
      AND (%(below)s::bigint IS NULL OR message.id < %(below)s)
      AND message.created_at < %(before)s
      AND coalesce(broadcast.started_at, message.created_at) < %(before)s
      AND message.state NOT IN ('planned', 'queued', 'sending')
      -- A retry that was confirmed and has not made its rows yet makes them from these.
      AND NOT EXISTS (
          SELECT FROM broadcasts_frozenmembers AS written_down
          JOIN broadcasts_broadcast AS retry ON retry.id = written_down.broadcast_id
          WHERE retry.root_id = coalesce(broadcast.root_id, broadcast.id)
      )
      -- Credits still held for an attempt go back first, then its message goes.
      AND NOT EXISTS (
          SELECT FROM messaging_attempt AS held
          WHERE held.message_id = message.id
            AND held.price > 0
            AND held.state IN ('open', 'sent', 'unknown')
            AND NOT EXISTS (
                SELECT FROM messaging_creditentry AS entry
                WHERE entry.attempt_id = held.id
                  AND entry.step IN ('charge', 'release')
            )
      )
    ORDER BY message.id
    LIMIT %(limit)s
    FOR UPDATE OF message SKIP LOCKED
),
follow_ups AS (
    DELETE FROM messaging_followup AS follow_up
    USING old
    WHERE follow_up.message_id = old.id OR follow_up.opener_id = old.id
),
attempts AS (
    DELETE FROM messaging_attempt AS attempt
    USING old
    WHERE attempt.message_id = old.id
),
gone AS (
    DELETE FROM messaging_message AS message
    USING old
    WHERE message.id = old.id
    RETURNING message.id
)
SELECT (SELECT count(*) FROM gone) AS number,
       (SELECT max(id) FROM old) AS last
