-- The parts that a provider holds of what the attempts of a message said, to which a
-- cancelled resend goes back; see stood.sql.
SELECT coalesce(held.parts, 0)
FROM (
    SELECT message.id AS message_id,
           coalesce(known.amended_content_id, message.content_id) AS content_id
) AS whose
CROSS JOIN LATERAL (
    /* as in parts_held.sql */
) AS held
