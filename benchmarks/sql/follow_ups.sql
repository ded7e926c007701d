-- Messages that waited for the answer to another one of the same member.
INSERT INTO messaging_followup
    (organization_id, contact_id, message_id, opener_id, created_at, closed_at, state,
     asked_by_name, sentence)
SELECT organization_id, contact_id, id, opener_id, now(), now(), 'done', 'Ama Owusu', ''
FROM (
    SELECT message.organization_id, message.contact_id, message.id,
           (SELECT other.id
            FROM messaging_message AS other
            WHERE other.contact_id = message.contact_id
              AND other.id <> message.id
            ORDER BY other.id DESC
            LIMIT 1) AS opener_id
    FROM messaging_message AS message
    WHERE message.organization_id = %(organization_id)s
    ORDER BY message.id DESC
    LIMIT least(1000, %(messages)s / 20)
) AS found
WHERE opener_id IS NOT NULL
