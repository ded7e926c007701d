-- The receipts of these requests left, or may have: their messages were asked for.
WITH settled AS (
    UPDATE messaging_retransmissionrequest AS request
    SET outcome = %(outcome)s, settled_at = clock_timestamp(),
        error_code = %(error_code)s, error_detail = %(error_detail)s
    WHERE request.id = ANY(%(request_ids)s) AND request.outcome = 'open'
    RETURNING request.id, request.settled_at
)
UPDATE messaging_inboundmessage AS known
SET requested_at = settled.settled_at,
    state = CASE WHEN known.state IN ('waiting', 'expired') THEN 'requested'
            ELSE known.state END,
    reason = CASE WHEN known.state = 'expired' THEN '' ELSE known.reason END,
    closed_at = CASE WHEN known.state = 'expired' THEN NULL ELSE known.closed_at END
FROM settled
WHERE known.request_id = settled.id
RETURNING known.message_id
