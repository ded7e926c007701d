-- Give up what nobody sends again: too old, or asked for as often as is allowed and
-- not answered for a while. A batch; whoever holds a row is passed by.
WITH hopeless AS MATERIALIZED (
    SELECT known.id,
           CASE WHEN known.created_at < %(too_old)s THEN 'too_old' ELSE 'in_vain' END
               AS reason
    FROM messaging_inboundmessage AS known
    WHERE known.state IN ('waiting', 'requested')
      AND (known.quiet_until IS NULL OR known.quiet_until < clock_timestamp())
      AND (known.created_at < %(too_old)s
           OR known.requests >= %(most)s AND known.requested_at < %(in_vain)s)
    ORDER BY known.created_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE messaging_inboundmessage AS known
SET state = 'expired', reason = hopeless.reason, closed_at = clock_timestamp()
FROM hopeless
WHERE known.id = hopeless.id
RETURNING known.id
