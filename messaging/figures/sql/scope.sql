AND (%(channel)s = '' OR tally.channel = %(channel)s)
  AND (%(integration_id)s::bigint IS NULL
       OR tally.integration_id = %(integration_id)s)
  AND (%(broadcast_ids)s::bigint[] IS NULL
       OR tally.broadcast_id = ANY (%(broadcast_ids)s::bigint[]))
