-- The outbox: what endpoints are told is written by the change itself, in its own
-- transaction. So a change that is rolled back tells nobody, and one that is
-- committed is told although every process may die in the next instant. Statements
-- of the engine need not know, and none of them can forget.

-- Which of the due deliveries goes first; see DeliveryPriority.
CREATE FUNCTION messaging_webhook_priority(type text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN type IN ('message.sent', 'message.delivered') THEN 3
    WHEN starts_with(type, 'message.') THEN 2
    ELSE 1
END;

-- A moment as it stands on the wire.
CREATE FUNCTION messaging_webhook_moment(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- One event of an organization, for every endpoint of it that wants to hear of it.
-- Returns the event's id, or nothing when nobody does.
CREATE FUNCTION messaging_webhook_emit(
    of_organization bigint, of_type text, with_data jsonb
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM messaging_webhookendpoint AS endpoint
        WHERE endpoint.organization_id = of_organization
          AND endpoint.state = 'on'
          AND of_type = ANY (endpoint.events)
    ) THEN
        RETURN NULL;
    END IF;
    INSERT INTO messaging_webhookevent (organization_id, type, data)
    VALUES (of_organization, of_type, with_data)
    RETURNING id INTO made;
    INSERT INTO messaging_webhookdelivery (endpoint_id, event_id, type, priority)
    SELECT endpoint.id, made, of_type, messaging_webhook_priority(of_type)
    FROM messaging_webhookendpoint AS endpoint
    WHERE endpoint.organization_id = of_organization
      AND endpoint.state = 'on'
      AND of_type = ANY (endpoint.events);
    RETURN made;
END $$;

-- Messages, a whole statement of them at a time. Where nobody listens it ends after
-- one look at a small table. Old and new rows are put side by side by sorting, not
-- by a join: the plan is kept for the session, and one that was made for a single
-- row must not be the ruin of a chunk.
CREATE FUNCTION messaging_webhook_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM messaging_webhookendpoint AS endpoint
        WHERE endpoint.state = 'on'
          AND endpoint.events && ARRAY[
              'message.sent', 'message.delivered', 'message.failed',
              'message.unknown', 'message.resent'
          ]::varchar[]
    ) THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM new_rows AS message
        WHERE message.state IN
                ('sent', 'delivered', 'read', 'failed', 'unknown', 'queued')
          AND EXISTS (
              SELECT FROM messaging_webhookendpoint AS endpoint
              WHERE endpoint.organization_id = message.organization_id
                AND endpoint.state = 'on'
          )
    ) THEN
        RETURN NULL;
    END IF;
    WITH side_by_side AS (
        SELECT *,
               lag(state) OVER (PARTITION BY id ORDER BY is_new) AS was
        FROM (
            SELECT true AS is_new, id, organization_id, contact_id, integration_id,
                   broadcast_id, state, channel, suffix, attempt_count, error_code,
                   error_class, due_at, asked_by
            FROM new_rows
            UNION ALL
            SELECT false, id, organization_id, NULL, NULL, NULL, state, NULL, NULL,
                   NULL, NULL, NULL, NULL, NULL
            FROM old_rows
        ) AS both_sides
    ),
    change AS (
        SELECT *,
               CASE
                   WHEN state IN ('sent', 'failed', 'unknown') AND was <> state
                   THEN 'message.' || state
                   WHEN state IN ('delivered', 'read')
                        AND was NOT IN ('delivered', 'read')
                   THEN 'message.delivered'
                   WHEN state = 'queued'
                        AND was NOT IN ('planned', 'queued', 'sending')
                   THEN 'message.resent'
               END AS type
        FROM side_by_side
        WHERE is_new
    ),
    event AS (
        INSERT INTO messaging_webhookevent (organization_id, type, data)
        SELECT change.organization_id, change.type,
               jsonb_build_object(
                   'messageId', 'ra_' || coalesce(nullif(channel, ''), 'none') || '_'
                       || id || '_' || suffix,
                   'state', state,
                   'previousState', was,
                   'channel', channel,
                   'externalId', (
                       SELECT contact.external_id
                       FROM messaging_contact AS contact
                       WHERE contact.id = change.contact_id
                   ),
                   'integrationId', (
                       SELECT integration.uid
                       FROM messaging_integration AS integration
                       WHERE integration.id = change.integration_id
                   ),
                   'broadcastId', broadcast_id::text,
                   'attempt', attempt_count,
                   'error', CASE WHEN error_code <> '' THEN jsonb_build_object(
                       'code', error_code, 'class', error_class) END
               ) || CASE change.type WHEN 'message.resent' THEN jsonb_build_object(
                   'askedBy', asked_by, 'dueAt', messaging_webhook_moment(due_at)
               ) ELSE '{}' END
        FROM change
        WHERE change.type IS NOT NULL
          AND EXISTS (
              SELECT FROM messaging_webhookendpoint AS endpoint
              WHERE endpoint.organization_id = change.organization_id
                AND endpoint.state = 'on'
                AND change.type = ANY (endpoint.events)
          )
        RETURNING id, organization_id, type
    )
    INSERT INTO messaging_webhookdelivery (endpoint_id, event_id, type, priority)
    SELECT endpoint.id, event.id, event.type, messaging_webhook_priority(event.type)
    FROM event
    JOIN messaging_webhookendpoint AS endpoint
      ON endpoint.organization_id = event.organization_id
     AND endpoint.state = 'on'
     AND event.type = ANY (endpoint.events);
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_message_tells_webhooks
AFTER UPDATE ON messaging_message
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_webhook_messages();

-- Integrations, whoever pauses them.
CREATE FUNCTION messaging_webhook_integration() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM messaging_webhook_emit(
        NEW.organization_id,
        'integration.paused',
        jsonb_build_object(
            'integrationId', NEW.uid,
            'name', NEW.name,
            'channel', NEW.channel,
            'state', NEW.state,
            'previousState', OLD.state,
            'reason', NEW.state_reason
        )
    );
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_integration_tells_webhooks
AFTER UPDATE OF state ON messaging_integration
FOR EACH ROW WHEN (NEW.state = 'paused' AND OLD.state <> 'paused')
EXECUTE FUNCTION messaging_webhook_integration();
