-- Those of these messages of which something is true that other statements ask, too.
SELECT message.id
FROM messaging_message AS message
WHERE message.id = ANY (%(message_ids)s)
  AND (
    /* condition */
  )
