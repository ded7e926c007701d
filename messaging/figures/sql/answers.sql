-- Tries that answered an error, by the day, the error and the way they went.
SELECT figure.day, figure.code, figure.channel, figure.integration_id,
       coalesce(sum(figure.count) FILTER (
           WHERE figure.outcome = 'delivered'
              OR figure.outcome = 'sent'
                 AND figure.integration_id = ANY (%(sent_is_final)s)
       ), 0)::bigint AS arrived,
       coalesce(sum(figure.count) FILTER (WHERE figure.outcome = 'failed'), 0)::bigint
           AS failed
FROM messaging_dailyfigure AS figure
WHERE figure.organization_id = %(organization_id)s
  AND figure.kind = 'answer'
  AND figure.day >= %(first)s
GROUP BY 1, 2, 3, 4
