CREATE FUNCTION messaging_content_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.organization_id, NEW.kind, NEW.name, NEW.payload, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.organization_id, OLD.kind, OLD.name, OLD.payload, OLD.created_at)
    THEN
        RAISE EXCEPTION 'Content % never changes: make a new one.', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER messaging_content_is_immutable
BEFORE UPDATE ON messaging_content
FOR EACH ROW EXECUTE FUNCTION messaging_content_refuse_change();
