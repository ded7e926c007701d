-- Part of a statement: whether providers hold every part of a "message" that failed, or
-- of which an attempt is in doubt, by several tries. Nothing is there to be sent.
    message.state IN ('failed', 'unknown')
    AND message.parts_sent > 1
    AND EXISTS (
        SELECT
        FROM messaging_attempt AS latest
        WHERE latest.message_id = message.id
          AND latest.number = message.attempt_count
          AND latest.parts > 1
          AND latest.content_id
              = coalesce(message.amended_content_id, message.content_id)
          AND message.parts_sent = (1 << latest.parts) - 1
        -- Asked of one message at a time: PostgreSQL might read all attempts instead.
        OFFSET 0
    )
