-- For certain no receipt left: give the claims back. What nobody but this request
-- has ever named is not kept; what only a file was known of is that again.
WITH settled AS (
    UPDATE messaging_retransmissionrequest AS request
    SET outcome = 'refused', settled_at = clock_timestamp(),
        error_code = %(error_code)s, error_detail = %(error_detail)s
    WHERE request.id = ANY(%(request_ids)s) AND request.outcome = 'open'
    RETURNING request.id
), forgotten AS (
    DELETE FROM messaging_inboundmessage AS known
    USING settled
    WHERE known.request_id = settled.id
      AND known.requests = 1 AND known.heard_at IS NULL
      AND known.media_again_at IS NULL
)
UPDATE messaging_inboundmessage AS known
SET requests = known.requests - 1, quiet_until = NULL,
    state = CASE WHEN known.requests = 1 AND known.heard_at IS NULL
            THEN 'received' ELSE known.state END
FROM settled
WHERE known.request_id = settled.id
  AND NOT (known.requests = 1 AND known.heard_at IS NULL
           AND known.media_again_at IS NULL)
RETURNING known.message_id
