-- An attempt's integration and content are those of its message when it was opened, in
-- the same statement; the message's own foreign keys see to it that they exist. What is
-- left to guard is the other end: neither may go as long as an attempt names it.
CREATE FUNCTION messaging_attempt_keeps_integration() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM messaging_attempt WHERE integration_id = OLD.id
    ) THEN
        RAISE EXCEPTION 'Attempts were made over integration %.', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION messaging_attempt_keeps_content() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM messaging_attempt WHERE content_id = OLD.id
    ) THEN
        RAISE EXCEPTION 'Attempts were made with content %.', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER messaging_integration_is_kept
AFTER DELETE ON messaging_integration DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION messaging_attempt_keeps_integration();

CREATE CONSTRAINT TRIGGER messaging_content_is_kept
AFTER DELETE ON messaging_content DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION messaging_attempt_keeps_content();

-- Asked by the executor, which calls the function for a wrong row only.
CREATE OR REPLACE TRIGGER messaging_attempt_is_born_open
BEFORE INSERT ON messaging_attempt
FOR EACH ROW WHEN (NEW.state <> 'open')
EXECUTE FUNCTION messaging_attempt_born_open();
