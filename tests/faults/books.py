"""Rules about what is counted and what is paid: ledger, account, tallies."""

from __future__ import annotations

from collections import defaultdict

from tests.faults.evidence import ARRIVED, WITHOUT_RECEIPTS, Evidence, Row


def credits_follow_delivery(facts: Evidence) -> list[str]:
    """Held once, then charged when it arrives or released when it fails."""
    lines: defaultdict[int, list[Row]] = defaultdict(list)
    for row in facts.rows(
        "SELECT * FROM messaging_creditentry WHERE attempt_id IS NOT NULL ORDER BY id"
    ):
        lines[row["attempt_id"]].append(row)
    found = []
    for attempt in facts.attempts.values():
        if not attempt["price"]:
            continue
        problem = _misbooked(attempt, lines.pop(attempt["id"], []))
        if problem:
            found.append(f"attempt {attempt['id']} ({attempt['state']}): {problem}")
    known = {row["id"] for row in facts.attempts.values()}
    found += [
        f"the ledger speaks of attempt {attempt_id}, which is not on record"
        for attempt_id in lines
        if attempt_id not in known
    ]
    return found


def _misbooked(attempt: Row, lines: list[Row]) -> str:
    steps = [line["step"] for line in lines]
    if len(set(steps)) != len(steps):
        return f"a step is there twice: {', '.join(steps)}"
    if steps[:1] != ["hold"]:
        return f"nothing was held first: {', '.join(steps) or 'no lines'}"
    if any(line["amount"] != attempt["price"] for line in lines):
        return "an amount differs from the price"
    arrived = attempt["state"] in ARRIVED or (
        attempt["state"] == "sent" and attempt["kind"] in WITHOUT_RECEIPTS
    )
    if arrived != ("charge" in steps):
        return "charged" if "charge" in steps else "not charged"
    if attempt["state"] == "failed" and "release" not in steps:
        return "still held"
    if attempt["state"] in ("open", "unknown") and "release" in steps:
        return "released, though nobody can tell"
    held = sum(line["held_change"] for line in lines)
    if held != (attempt["price"] if steps == ["hold"] else 0):
        return f"{held} are held by its lines"
    paid = -sum(line["available_change"] for line in lines)
    owed = sum(line["owed_change"] for line in lines)
    spent = attempt["price"] if "charge" in steps or steps == ["hold"] else 0
    if paid + owed != spent:
        return f"its lines take {paid} and owe {owed} instead of {spent}"
    return ""


def the_ledger_adds_up(facts: Evidence) -> list[str]:
    """The lines of an organization add up to its account."""
    found = facts.rows(
        """
        SELECT format('organization %s has %s, %s held, %s owed; its lines say'
                      ' %s, %s, %s', account.organization_id, account.available,
                      account.held, account.owed, sums.available, sums.held,
                      sums.owed) AS what
        FROM messaging_creditaccount AS account
        FULL JOIN (
            SELECT organization_id, sum(available_change) AS available,
                   sum(held_change) AS held, sum(owed_change) AS owed
            FROM messaging_creditentry
            GROUP BY organization_id
        ) AS sums USING (organization_id)
        WHERE (account.available, account.held, account.owed)
              IS DISTINCT FROM (coalesce(sums.available, 0), coalesce(sums.held, 0),
                                coalesce(sums.owed, 0))
        """
    )
    return [row["what"] for row in found]


def the_tallies_are_right(facts: Evidence) -> list[str]:
    """Counting the rows afresh gives what the tallies have counted all along."""
    found = facts.rows(
        """
        WITH counted AS (
            SELECT organization_id, broadcast_id, 'message' AS unit, day, channel,
                   -- Nobody was tried by what never left, or met refused credentials.
                   attempt_count - (
                       SELECT count(*)
                       FROM messaging_attempt AS attempt
                       WHERE attempt.message_id = message.id
                         AND attempt.state = 'failed'
                         AND split_part(attempt.error_code, ':', 2)
                             IN ('not_sent', 'auth_failed')
                   )::int AS number,
                   state AS outcome,
                   CASE WHEN state IN ('skipped', 'cancelled') THEN reason
                        ELSE error_code END AS cause,
                   reached_before, 1 AS many
            FROM messaging_message AS message
            UNION ALL
            -- A retry goes on counting where the runs before it stopped.
            SELECT organization_id, broadcast_id, 'attempt', day, channel,
                   chain_offset + number, state, error_code, false, 1
            FROM messaging_attempt
            WHERE state <> 'open'
            UNION ALL
            SELECT organization_id, broadcast_id, unit, day, channel,
                   attempt_number::int, outcome, error_code, reached_before,
                   pruned - count
            FROM messaging_tally
        )
        SELECT format('%s of broadcast %s, attempt %s, %s %s: the tallies are off by'
                      ' %s', unit, broadcast_id, number, outcome, cause,
                      - sum(many)) AS what
        FROM counted
        GROUP BY organization_id, broadcast_id, unit, day, channel, number, outcome,
                 cause, reached_before
        HAVING sum(many) <> 0
        """
    )
    return [row["what"] for row in found]
