-- What stands in the audit trail stays as it is. It goes with its organization, which
-- PostgreSQL deletes by itself: then this trigger runs inside that of the foreign key.
ALTER TABLE messaging_auditentry
    ADD CONSTRAINT audit_entry_of_organization
    FOREIGN KEY (organization_id) REFERENCES messaging_organization (id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION messaging_audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Entries of the audit trail are never changed or deleted.'
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_entry_is_append_only
    BEFORE UPDATE OR DELETE ON messaging_auditentry
    FOR EACH ROW EXECUTE FUNCTION messaging_audit_refuse_change();
