-- The file of a message was sent once more; its new address, if one is told.
UPDATE messaging_inboundmessage AS known
SET media_again_at = greatest(known.media_again_at, %(at)s),
    media_url = coalesce(nullif(%(media_url)s, ''), known.media_url)
WHERE known.integration_id = %(integration_id)s
  AND known.message_id = %(message_id)s
RETURNING known.id
