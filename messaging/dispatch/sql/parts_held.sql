-- The parts of a content that a provider holds for a message: those that its attempts
-- and those of the other runs of its chain sent themselves, less those that were taken
-- back of the same attempt. What the first of them took over counts as it did then; one
-- that sent all again, as earlier versions let it, begins anew. Asked anew each time, so
-- that it does not matter who says what first.
SELECT bit_or(
           (attempt.parts_sent | spoken_of.parts)
               & ~attempt.inherited & ~spoken_of.taken_back
           | CASE WHEN attempt.is_first THEN attempt.inherited ELSE 0 END
       ) AS parts
FROM (
    SELECT ARRAY(
        /* as in runs.sql */
    ) AS runs
) AS whole
CROSS JOIN LATERAL (
    SELECT one.id, one.integration_id, one.parts, one.parts_sent, one.parts_inherited,
           CASE WHEN one.parts_inherited = (1 << one.parts) - 1
               THEN 0 ELSE one.parts_inherited END AS inherited,
           row_number() OVER (ORDER BY one.id) = 1 AS is_first
    FROM messaging_attempt AS one
    WHERE one.message_id = ANY (whole.runs)
      AND one.content_id = whose.content_id
      AND one.id >= coalesce((
          SELECT max(anew.id)
          FROM messaging_attempt AS anew
          WHERE anew.message_id = ANY (whole.runs)
            AND anew.content_id = whose.content_id
            AND anew.parts_inherited = (1 << anew.parts) - 1
      ), 0)
) AS attempt
CROSS JOIN LATERAL (
    /* as in parts_spoken_of.sql */
) AS spoken_of
