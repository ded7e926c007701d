"""What a run of the torture was, and what it found, for a person to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.faults.evidence import Evidence, is_in_doubt

SHOWN = 8
"""Violations of one rule that are printed; the rest is counted."""


def report(
    facts: Evidence,
    found: Mapping[str, Sequence[str]],
    *,
    done: Counter[str],
    kills: int,
    seconds: float,
    settled_after: float,
    seed: int,
) -> str:
    lines = [
        "",
        f"Torture with seed {seed}: {kills} kills in {seconds:.0f} s,"
        f" settled after {settled_after:.0f} s",
        "",
        *_listed("What was done", done),
        *_listed("What people did", _people(facts)),
        *_listed("Messages", Counter(m["state"] for m in facts.messages.values())),
        *_listed("Attempts", Counter(a["state"] for a in facts.attempts.values())),
        *_listed("What the providers saw", _seen(facts)),
        *_listed("Doubts", _doubts(facts)),
        *_violated(found),
    ]
    return "\n".join(lines)


def _listed(title: str, numbers: Mapping[str, int]) -> list[str]:
    rows = [f"  {numbers[name]:7}  {name}" for name in sorted(numbers)]
    return [title, *rows, ""]


def _people(facts: Evidence) -> dict[str, int]:
    for wish in facts.wishes:
        if wish["what"] == "done":
            return {
                name: number
                for name, number in wish.items()
                if name not in ("what", "at")
            }
    return {}


def _seen(facts: Evidence) -> Counter[str]:
    seen = Counter(f"requests {line['outcome']}" for line in facts.requests)
    seen.update(
        f"answers disturbed: {line['fault']}"
        for line in facts.requests
        if line["fault"]
    )
    seen.update(f"receipts {line['result']}" for line in facts.notices)
    return seen


def _doubts(facts: Evidence) -> dict[str, int]:
    lost = Counter(
        row["state"]
        for row in facts.attempts.values()
        if any(map(is_in_doubt, facts.of_attempt.get(row["id"], [])))
    )
    causes = Counter(
        f"still unknown: {row['error_code']}"
        for row in facts.attempts.values()
        if row["state"] == "unknown"
    )
    settled = Counter(
        "in doubt, settled by a receipt"
        for row in facts.attempts.values()
        if row["error_class"] == "unknown" and row["state"] != "unknown"
    )
    answers = {f"answer lost, now {state}": number for state, number in lost.items()}
    return {**causes, **settled, **answers}


def _violated(found: Mapping[str, Sequence[str]]) -> list[str]:
    if not found:
        return ["No violation: nothing was lost, nobody got anything twice."]
    lines = [f"VIOLATIONS of {len(found)} rules"]
    for rule, sentences in found.items():
        lines.append(f"  {rule.replace('_', ' ')}: {len(sentences)}")
        lines += [f"    {sentence}" for sentence in sentences[:SHOWN]]
        if len(sentences) > SHOWN:
            lines.append(f"    … and {len(sentences) - SHOWN} more")
    return lines
