-- What kept messages from being claimed: a request of the last seconds, or too many.
SELECT known.message_id, known.requests,
       coalesce(known.quiet_until > clock_timestamp(), false) AS is_recent,
       request.id AS request_id, request.chat_jid, request.sender_jid
FROM messaging_inboundmessage AS known
LEFT JOIN messaging_retransmissionrequest AS request ON request.id = known.request_id
WHERE known.integration_id = %(integration_id)s
  AND known.message_id = ANY(%(message_ids)s)
