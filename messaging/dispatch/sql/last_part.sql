-- The last part that an attempt sends itself: it may have taken over later ones. One that
-- took over all of them sends all again.
SELECT CASE WHEN attempt.parts_inherited IN (0, (1 << attempt.parts) - 1)
    THEN attempt.parts - 1
    ELSE length(ltrim(
        (((1 << attempt.parts) - 1) & ~attempt.parts_inherited::int)::bit(16)::text, '0'
    )) - 1 END AS number
