-- An attempt is opened in the statement that changes its message, which therefore exists
-- and is held. What is left to guard is the other end: a message stays as long as it has
-- attempts.
CREATE FUNCTION messaging_attempt_keeps_message() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM messaging_attempt WHERE message_id = OLD.id
    ) THEN
        RAISE EXCEPTION 'Attempts were made of message %.', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER messaging_message_is_kept
AFTER DELETE ON messaging_message DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION messaging_attempt_keeps_message();
