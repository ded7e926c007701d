-- The latest automatic retries of one error code whose outcome is known.
SELECT count(*) AS tried,
       count(*) FILTER (WHERE latest.state <> 'failed') AS delivered
FROM (
    SELECT attempt.state
    FROM messaging_attempt AS attempt
    JOIN messaging_integration AS integration ON integration.id = attempt.integration_id
    WHERE attempt.organization_id = %(organization_id)s
      AND attempt.cause_code = %(error_code)s
      AND attempt.actor = 'automatic'
      AND messaging_is_try(attempt.error_code)
      AND (attempt.state IN ('failed', 'delivered', 'read')
           OR attempt.state = 'sent'
              AND integration.kind = ANY (%(kinds_without_receipts)s))
      AND attempt.opened_at > coalesce((
          SELECT max(stopped.resumed_at) FROM messaging_stoppedretry AS stopped
          WHERE stopped.organization_id = attempt.organization_id
            AND stopped.error_code = attempt.cause_code
      ), '-infinity')
    ORDER BY attempt.id DESC
    LIMIT %(look_back)s
) AS latest
