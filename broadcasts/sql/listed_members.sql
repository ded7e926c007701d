-- The members that a list names, each with the row to go on from: the latest in the
-- chain that was not taken back. In doubt is who would be so when the retry starts:
-- nobody can tell of a row that is the source's own, or newer. Every look-up is a probe
-- of an index.
SELECT contact.id AS contact_id,
       latest.id AS message_id,
       coalesce(latest.is_reached, false) AS is_reached,
       coalesce(
           latest.last_in_doubt >= coalesce(latest.retried, 0)
               AND NOT latest.is_reached,
           false
       ) AS is_in_doubt
FROM unnest(%(contact_ids)s::bigint[]) AS listed (id)
JOIN messaging_contact AS contact
  ON contact.id = listed.id AND contact.organization_id = %(organization_id)s
CROSS JOIN LATERAL (
    SELECT max(run.id) FILTER (
               WHERE run.state <> 'cancelled' OR run.root_id IS NULL
           ) AS id,
           max(run.id) FILTER (WHERE run.state = 'unknown') AS last_in_doubt,
           max(run.id) FILTER (WHERE run.broadcast_id = %(source_id)s) AS retried,
           bool_or(run.state IN ('sent', 'delivered', 'read')) AS is_reached
    FROM unnest(%(broadcast_ids)s::bigint[]) AS chain (id)
    JOIN messaging_message AS run
      ON run.broadcast_id = chain.id AND run.contact_id = contact.id
) AS latest
ORDER BY contact.id
