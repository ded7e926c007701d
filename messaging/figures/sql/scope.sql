AND (%(channel)s = '' OR figure.channel = %(channel)s)
  AND (%(integration_id)s::bigint IS NULL
       OR figure.integration_id = %(integration_id)s)
