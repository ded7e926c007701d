"""The independent checker: what the providers saw against what we wrote down.

It shares no code with the engine: not its statements, not its tallies, not its
idea of a receipt. Each rule takes the evidence and returns sentences, one for each
violation; no sentence at all is the only good answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from tests.faults.books import (
    credits_follow_delivery,
    the_ledger_adds_up,
    the_tallies_are_right,
)
from tests.faults.evidence import ARRIVED, Evidence, Row, is_in_doubt, part_of
from tests.faults.standing import (
    members_are_outcomes,
    messages_follow_their_attempts,
    nobody_is_left_behind,
    nothing_is_under_way,
)

Rule = Callable[[Evidence], list[str]]

NEVER_LEFT = ("connection_failed", "not_sent", "invalid_content", "content_refused")
"""Causes that are certain although no provider has said a word."""


def nobody_gets_it_twice(facts: Evidence) -> list[str]:
    """One part is accepted once, unless a person wanted it again at that risk.

    What a provider took back as failed has reached nobody. A person's wish is
    believed only from the diary of the people, and only after a doubt.
    """
    accepted: defaultdict[tuple[int, int, int], list[Row]] = defaultdict(list)
    for attempt_id, lines in facts.of_attempt.items():
        attempt = facts.attempts.get(attempt_id)
        for line in lines:
            if attempt and line["outcome"] == "accepted" and line["fate"] != "failed":
                key = attempt["chain_id"], attempt["contact_id"], part_of(line)
                accepted[key].append(attempt)
    found = []
    for (chain_id, _, part), attempts in accepted.items():
        ordered = sorted(attempts, key=lambda one: one["id"])
        for index, later in enumerate(ordered[1:], start=1):
            before = ordered[:index]
            if not _was_wanted_twice(facts, before, later):
                ids = ", ".join(str(one["id"]) for one in [*before, later])
                found.append(
                    f"part {part} of message {chain_id} was accepted by attempts {ids}"
                )
    return found


def _was_wanted_twice(facts: Evidence, before: list[Row], later: Row) -> bool:
    """Whether somebody took the risk of this copy, after a doubt about the first."""
    if any(one["id"] == later["id"] for one in before):
        return False
    asked_for = {later["message_id"], *(one["message_id"] for one in before)}
    if not asked_for & facts.risks_taken:
        return False
    by_a_person = later["actor"] in ("person", "api")
    in_a_retry = any(one["message_id"] != later["message_id"] for one in before)
    return by_a_person or in_a_retry


def what_was_accepted_is_on_record(facts: Evidence) -> list[str]:
    """No provider holds a message of which we say that it certainly failed."""
    found = []
    for attempt_id, lines in facts.of_attempt.items():
        parts = {part_of(one) for one in lines if one["outcome"] == "accepted"}
        if not parts:
            continue
        attempt = facts.attempts.get(attempt_id)
        if attempt is None:
            found.append(f"attempt {attempt_id} was accepted and is not on record")
        elif attempt["state"] == "failed" and not _failed_later(facts, attempt):
            hidden = [part for part in parts if not attempt["parts_sent"] >> part & 1]
            if hidden or len(parts) == attempt["parts"]:
                found.append(
                    f"attempt {attempt_id} was accepted and is said to have failed"
                    f" ({attempt['error_code']})"
                )
    return found


def what_was_sent_was_accepted(facts: Evidence) -> list[str]:
    """Nothing counts as sent of which some part was never accepted."""
    accepted: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for attempt in facts.attempts.values():
        key = attempt["chain_id"], attempt["contact_id"]
        accepted[key] |= facts.accepted_parts(attempt["id"])
    found = []
    for attempt in facts.attempts.values():
        if attempt["state"] in ("sent", *ARRIVED):
            missing = (
                set(range(attempt["parts"]))
                - accepted[attempt["chain_id"], attempt["contact_id"]]
            )
            if missing or not (
                facts.accepted_parts(attempt["id"]) or attempt["parts"] > 1
            ):
                found.append(
                    f"attempt {attempt['id']} is {attempt['state']}, but part"
                    f" {min(missing, default=0)} was accepted by nobody"
                )
    return found


def doubt_stays_doubt(facts: Evidence) -> list[str]:
    """Whose answer got lost is unknown, unless a receipt has settled it."""
    found = []
    for attempt_id, lines in facts.of_attempt.items():
        attempt = facts.attempts.get(attempt_id)
        if attempt is None or not any(is_in_doubt(line) for line in lines):
            continue
        if attempt["state"] != "unknown" and not facts.told.get(attempt_id):
            found.append(
                f"attempt {attempt_id} had no answer and is {attempt['state']}"
            )
    return found


def failures_have_a_reason(facts: Evidence) -> list[str]:
    """Failed means refused by somebody, or certainly never on its way."""
    found = []
    for attempt in facts.attempts.values():
        if attempt["state"] != "failed" or _failed_later(facts, attempt):
            continue
        lines = facts.of_attempt.get(attempt["id"], [])
        refused = bool(lines) and lines[-1]["outcome"] == "refused"
        # A mail server refuses an address before it hears of which attempt it is.
        refused = refused or attempt["kind"] == "smtp"
        certain = attempt["error_code"].partition(":")[2] in NEVER_LEFT
        if not refused and not certain:
            found.append(
                f"attempt {attempt['id']} failed with {attempt['error_code']}, and"
                " nobody has refused it"
            )
    return found


def receipts_are_kept_and_believed(facts: Evidence) -> list[str]:
    """What we confirmed to a provider is stored, and changed what it should.

    Only a part that was taken back may leave its attempt unknown, as long as nobody has
    spoken of the last part: that one may be under way.
    """
    requests = {line["provider_id"]: line for line in facts.requests}
    stored = {
        (row["reference"], row["state"])
        for row in facts.rows("SELECT reference, state FROM messaging_receipt")
    }
    found = []
    for notice in facts.notices:
        line = requests.get(notice["provider_id"])
        if notice["result"] != "posted" or line is None:
            continue
        if (line["reference"], notice["status"]) not in stored:
            found.append(
                f"the receipt “{notice['status']}” for {line['reference']} is lost"
            )
            continue
        attempt = facts.attempts.get(int(line["reference"].partition(":")[0]))
        if attempt is None:
            continue
        is_last = part_of(line) == attempt["parts"] - 1
        if attempt["state"] == "unknown" and not facts.is_last_part_told(attempt):
            continue
        wanted = {"delivered": ARRIVED, "read": ("read",)}.get(notice["status"])
        if notice["status"] == "failed":
            wanted = ("failed", *ARRIVED)
        if (
            wanted
            and (is_last or notice["status"] == "failed")
            and attempt["state"] not in wanted
        ):
            found.append(
                f"attempt {attempt['id']} is {attempt['state']}, but its receipt says"
                f" {notice['status']}"
            )
    return found


def nobody_met_an_error(facts: Evidence) -> list[str]:
    """Whoever asked got an answer, a refusal in words, or a server that was away."""
    return [
        f"{wish['act']}: {wish['error']}"
        for wish in facts.wishes
        if wish["what"] == "surprise"
    ]


def _failed_later(facts: Evidence, attempt: Row) -> bool:
    return "failed" in facts.told.get(attempt["id"], ())


RULES: tuple[Rule, ...] = (
    nothing_is_under_way,
    nobody_is_left_behind,
    members_are_outcomes,
    nobody_gets_it_twice,
    what_was_accepted_is_on_record,
    what_was_sent_was_accepted,
    doubt_stays_doubt,
    failures_have_a_reason,
    receipts_are_kept_and_believed,
    messages_follow_their_attempts,
    credits_follow_delivery,
    the_ledger_adds_up,
    the_tallies_are_right,
    nobody_met_an_error,
)


def violations(facts: Evidence) -> dict[str, list[str]]:
    """Return what each broken rule has found; an empty answer is the good one."""
    found = {rule.__name__: rule(facts) for rule in RULES}
    return {name: sentences for name, sentences in found.items() if sentences}
