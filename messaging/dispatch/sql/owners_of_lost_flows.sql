-- Whose attempts in parts are about to be given up; see rescue.sql.
SELECT DISTINCT organization_id
FROM messaging_attempt
WHERE state = 'open'
  AND opened_at < now() - %(seconds)s * interval '1 second'
  AND parts > 1
LIMIT %(limit)s
