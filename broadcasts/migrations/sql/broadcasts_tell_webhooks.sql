-- What becomes of a broadcast is told in the transaction of the change, whichever
-- statement makes it. One that has ended says how many messages stand where.
CREATE FUNCTION broadcasts_webhook_broadcast() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    told jsonb;
BEGIN
    told := jsonb_build_object(
        'broadcastId', NEW.id::text,
        'name', NEW.name,
        'kind', NEW.kind,
        'state', NEW.state,
        'retryOfBroadcastId', NEW.retry_of_id::text,
        'runAt', messaging_webhook_moment(NEW.run_at)
    );
    IF NEW.state IN ('completed', 'cancelled', 'failed') THEN
        told := told || jsonb_build_object(
            'reason', NEW.state_reason,
            'messages', coalesce((
                SELECT jsonb_object_agg(outcome, number)
                FROM (
                    SELECT outcome, sum(count) AS number
                    FROM messaging_tally
                    WHERE organization_id = NEW.organization_id
                      AND broadcast_id = NEW.id
                      AND unit = 'message'
                    GROUP BY outcome
                    HAVING sum(count) > 0
                ) AS standing
            ), '{}')
        );
    END IF;
    PERFORM messaging_webhook_emit(
        NEW.organization_id,
        'broadcast.' || CASE NEW.state WHEN 'sending' THEN 'started' ELSE NEW.state END,
        told
    );
    RETURN NULL;
END $$;

CREATE TRIGGER broadcasts_new_broadcast_tells_webhooks
AFTER INSERT ON broadcasts_broadcast
FOR EACH ROW WHEN (NEW.state = 'scheduled')
EXECUTE FUNCTION broadcasts_webhook_broadcast();

-- Another time for a scheduled broadcast is told again.
CREATE TRIGGER broadcasts_broadcast_tells_webhooks
AFTER UPDATE OF state, run_at ON broadcasts_broadcast
FOR EACH ROW WHEN (
    NEW.state <> 'draft' AND OLD.state <> NEW.state
    OR NEW.state = 'scheduled' AND OLD.run_at IS DISTINCT FROM NEW.run_at
)
EXECUTE FUNCTION broadcasts_webhook_broadcast();
