-- Whether another run of its broadcast took over the person of a message.
SELECT (
    /* taken over */
) AS is_taken_over
FROM messaging_message AS message
WHERE message.id = %(message_id)s
