-- The latest word about a phone. Words come in any order: one that speaks of an earlier
-- moment than what is known changes nothing. A state that lasts keeps its start; another
-- one cannot have begun before the last word of the one before it.
INSERT INTO messaging_devicehealth AS known (
    integration_id, state, since, known_at, checked_at, phone, detail
)
SELECT integration.id, %(state)s, %(since)s, %(known_at)s, %(checked_at)s, %(phone)s,
       %(detail)s
FROM messaging_integration AS integration
WHERE integration.id = %(integration_id)s
ON CONFLICT (integration_id) DO UPDATE
SET state = excluded.state,
    since = CASE WHEN known.state = excluded.state THEN known.since
            ELSE greatest(excluded.since, known.known_at) END,
    known_at = excluded.known_at,
    checked_at = greatest(known.checked_at, excluded.checked_at),
    phone = coalesce(nullif(excluded.phone, ''), known.phone),
    detail = excluded.detail
WHERE known.known_at <= excluded.known_at
RETURNING known.integration_id
