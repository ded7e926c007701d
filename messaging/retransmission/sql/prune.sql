-- Let go of what is older than the organization keeps it, a batch at a time.
WITH messages AS (
    DELETE FROM messaging_inboundmessage
    WHERE id IN (
        SELECT id FROM messaging_inboundmessage
        WHERE organization_id = %(organization_id)s AND created_at < %(before)s
        ORDER BY created_at LIMIT %(limit)s
    )
    RETURNING 1
), requests AS (
    DELETE FROM messaging_retransmissionrequest
    WHERE id IN (
        SELECT request.id FROM messaging_retransmissionrequest AS request
        WHERE request.organization_id = %(organization_id)s
          AND request.created_at < %(before)s
          AND NOT EXISTS (
              SELECT 1 FROM messaging_inboundmessage AS known
              WHERE known.request_id = request.id AND known.created_at >= %(before)s
          )
        ORDER BY request.created_at LIMIT %(limit)s
    )
    RETURNING 1
)
SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM requests) AS number
