-- A handful of rows for each organization, added up over all of them.
SELECT series, channel, label, sum(came)::bigint AS came, sum(gone)::bigint AS gone,
       sum(milliseconds)::bigint AS milliseconds
FROM messaging_meter
GROUP BY series, channel, label
ORDER BY series, channel, label
