-- The account is the sum of its ledger by construction: nothing else writes it.
CREATE FUNCTION messaging_ledger_moves_account() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO messaging_creditaccount AS account
        (organization_id, available, held, owed)
    SELECT DISTINCT organization_id, 0, 0, 0 FROM new_rows
    ON CONFLICT (organization_id) DO NOTHING;

    UPDATE messaging_creditaccount AS account
    SET available = account.available + change.available,
        held = account.held + change.held,
        owed = account.owed + change.owed
    FROM (
        SELECT organization_id,
               sum(available_change) AS available,
               sum(held_change) AS held,
               sum(owed_change) AS owed
        FROM new_rows
        GROUP BY organization_id
    ) AS change
    WHERE account.organization_id = change.organization_id;
    RETURN NULL;
END $$;

CREATE TRIGGER messaging_ledger_moves_account
AFTER INSERT ON messaging_creditentry REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION messaging_ledger_moves_account();

-- Lines are only ever added.
CREATE FUNCTION messaging_ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A line of the ledger never changes: add another one.'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER messaging_ledger_is_append_only
BEFORE UPDATE ON messaging_creditentry
FOR EACH ROW EXECUTE FUNCTION messaging_ledger_refuse_change();
