-- A copy of a message that had been sent is a row of its own, so nothing was changed
-- that the other trigger could see. Runs of a broadcast have a root too and are no
-- copies: their chunks pay for the condition and for nothing else.
CREATE OR REPLACE FUNCTION messaging_webhook_copy() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM messaging_webhook_emit(
        NEW.organization_id,
        'message.resent',
        jsonb_build_object(
            'messageId', 'ra_' || coalesce(nullif(NEW.channel, ''), 'none') || '_'
                || NEW.id || '_' || NEW.suffix,
            'copyOf', (
                SELECT 'ra_' || coalesce(nullif(original.channel, ''), 'none') || '_'
                    || original.id || '_' || original.suffix
                FROM messaging_message AS original
                WHERE original.id = NEW.root_id
            ),
            'state', NEW.state,
            'previousState', NULL,
            'channel', NEW.channel,
            'externalId', (
                SELECT contact.external_id
                FROM messaging_contact AS contact
                WHERE contact.id = NEW.contact_id
            ),
            'integrationId', (
                SELECT integration.uid
                FROM messaging_integration AS integration
                WHERE integration.id = NEW.integration_id
            ),
            'broadcastId', NULL,
            'attempt', NEW.attempt_count,
            'error', NULL,
            'askedBy', NEW.asked_by,
            'dueAt', messaging_webhook_moment(NEW.due_at)
        )
    );
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS messaging_copy_tells_webhooks ON messaging_message;

CREATE TRIGGER messaging_copy_tells_webhooks
AFTER INSERT ON messaging_message
FOR EACH ROW WHEN (NEW.root_id IS NOT NULL AND NEW.broadcast_id IS NULL)
EXECUTE FUNCTION messaging_webhook_copy();
