-- Part of a statement: whether one of the attempts of "message" may arrive yet.
    EXISTS (
        SELECT
        FROM messaging_attempt AS own
        WHERE own.message_id = message.id
          AND own.state IN ('unknown', 'sent')
    )
