-- Whether another run of its broadcast took over the person of a message.
SELECT (
    /* as in taken_over_by.sql */
) AS is_taken_over
FROM messaging_message AS message
WHERE message.id = %(message_id)s
