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
-- By an array, so that their keys are looked up whatever statistics say of a table that
-- has just been emptied.
chosen AS MATERIALIZED (
    SELECT array_agg(id) AS ids, max(id) AS last FROM old
),
follow_ups AS (
    DELETE FROM messaging_followup AS follow_up
    WHERE follow_up.message_id = ANY ((SELECT ids FROM chosen)::bigint[])
       OR follow_up.opener_id = ANY ((SELECT ids FROM chosen)::bigint[])
),
attempts AS (
    DELETE FROM messaging_attempt AS attempt
    WHERE attempt.message_id = ANY ((SELECT ids FROM chosen)::bigint[])
),
gone AS (
    DELETE FROM messaging_message AS message
    WHERE message.id = ANY ((SELECT ids FROM chosen)::bigint[])
    RETURNING message.id
)
SELECT (SELECT count(*) FROM gone) AS number, chosen.last
FROM chosen
