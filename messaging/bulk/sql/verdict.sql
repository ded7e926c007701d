-- How a selection stands: messages that the rule judges alike, counted together.
-- Times are rounded to ten minutes on the careful side; whether a message is too
-- old is exact.
WITH asked AS MATERIALIZED (
    /* selection */
),
facts AS MATERIALIZED (
/* facts */
),
marked AS (
    SELECT facts.*,
           state IN ('failed', 'unknown') AS is_candidate,
           age > %(oldest)s AS is_old,
           state IN ('failed', 'unknown') AND EXISTS (
               SELECT FROM messaging_bulkresenditem AS item
               WHERE item.message_id = facts.id AND item.state = 'waiting'
           ) AS is_elsewhere
    FROM facts
)
SELECT state,
       least(resends, %(most_resends)s) AS resends,
       error_code,
       way_channel,
       integration_id,
       opted_out,
       window_open,
       integration_state,
       integration_kind,
       price,
       credits,
       provider_pause,
       is_taken_over,
       is_every_part_sent,
       is_elsewhere,
       max(age) AS age,
       min(age) AS youngest,
       min(since_failure) AS since_failure,
       count(*) AS number
FROM marked
WHERE is_candidate
GROUP BY state, least(resends, %(most_resends)s), error_code, way_channel,
         integration_id, opted_out, window_open, integration_state, integration_kind,
         price, credits,
         provider_pause, is_taken_over, is_every_part_sent, is_elsewhere, is_old,
         CASE WHEN is_old THEN 0 ELSE floor(age / 600) END,
         CASE WHEN is_old THEN 0 ELSE floor(since_failure / 600) END
UNION ALL
SELECT state, 0, '', '', NULL, false, false, '', '', 0, 0, 0, false, false, false, 0, 0,
       0, count(*)
FROM marked
WHERE NOT is_candidate
GROUP BY state
