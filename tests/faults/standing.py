"""Rules about where everything stands in the end: broadcasts, messages, attempts."""

from __future__ import annotations

from tests.faults.evidence import ARRIVED, Evidence, Row


def nothing_is_under_way(facts: Evidence) -> list[str]:
    """No attempt is open, no message is being sent, no receipt waits."""
    found = [
        f"attempt {row['id']} is still open"
        for row in facts.attempts.values()
        if row["state"] == "open"
    ]
    found += [
        f"message {row['id']} is still being sent"
        for row in facts.messages.values()
        if row["state"] == "sending"
    ]
    return found + [
        f"receipt {row['id']} still waits"
        for row in facts.rows(
            "SELECT id FROM messaging_receipt WHERE applied_at IS NULL"
        )
    ]


def nobody_is_left_behind(facts: Evidence) -> list[str]:
    """Whatever is due has been sent, and whatever has begun has ended."""
    found = facts.rows(
        """
        SELECT format('message %s has been due since %s', id, due_at) AS what
        FROM messaging_message
        WHERE state = 'queued' AND due_at <= now()
        UNION ALL
        SELECT format('message %s is planned for a broadcast that is %s',
                      message.id, broadcast.state)
        FROM messaging_message AS message
        JOIN broadcasts_broadcast AS broadcast ON broadcast.id = message.broadcast_id
        WHERE message.state = 'planned' AND broadcast.state <> 'scheduled'
        UNION ALL
        SELECT format('broadcast %s is still %s', id, state)
        FROM broadcasts_broadcast
        WHERE state = 'sending' OR is_settling
           OR state = 'scheduled' AND run_at <= now()
        UNION ALL
        SELECT format('bulk resend %s is still %s', id, state)
        FROM messaging_bulkresend
        WHERE finished_at IS NULL
          AND (scheduled_for IS NULL OR scheduled_for <= now())
        UNION ALL
        SELECT format('bulk resend %s covers %s messages and has %s items with an'
                      ' outcome', bulk.id, bulk.total, count(item.id))
        FROM messaging_bulkresend AS bulk
        LEFT JOIN messaging_bulkresenditem AS item
          ON item.bulk_id = bulk.id AND item.state <> 'waiting'
        WHERE bulk.finished_at IS NOT NULL
        GROUP BY bulk.id
        HAVING bulk.total <> count(item.id)
        """
    )
    return [row["what"] for row in found]


def members_are_outcomes(facts: Evidence) -> list[str]:
    """Every member of a broadcast has exactly one message, with an outcome."""
    found = facts.rows(
        """
        SELECT broadcast.id, broadcast.retry_of_id, count(message.id) AS messages,
               count(DISTINCT message.contact_id) AS members,
               (SELECT count(*) FROM messaging_contact AS contact
                WHERE contact.organization_id = broadcast.organization_id
                  AND (broadcast.audience -> 'tags' IS NULL
                       OR EXISTS (
                          SELECT FROM jsonb_array_elements_text(
                              broadcast.audience -> 'tags') AS tag
                          WHERE tag = ANY (contact.tags)))) AS aimed
        FROM broadcasts_broadcast AS broadcast
        LEFT JOIN messaging_message AS message ON message.broadcast_id = broadcast.id
        WHERE broadcast.state = 'completed'
        GROUP BY broadcast.id
        """
    )
    shown = {
        wish["broadcast"]: wish["members"]
        for wish in facts.wishes
        if wish["what"] == "retried"
    }
    sentences = []
    for row in found:
        aimed = row["aimed"]
        if row["retry_of_id"] is not None:
            aimed = shown.get(row["id"], row["messages"])
        if not aimed == row["messages"] == row["members"]:
            sentences.append(
                f"broadcast {row['id']} aims at {aimed} members and has"
                f" {row['messages']} messages to {row['members']} of them"
            )
    return sentences


def messages_follow_their_attempts(facts: Evidence) -> list[str]:
    """A message stands where its attempts have brought it, and nowhere else."""
    found = []
    for message in facts.messages.values():
        attempts = facts.attempts_of.get(message["id"], [])
        problem = _disagreement(message, attempts)
        if problem:
            states = ", ".join(one["state"] for one in attempts) or "none"
            found.append(
                f"message {message['id']} is {message['state']}, its attempts are"
                f" {states}: {problem}"
            )
    return found


def _disagreement(message: Row, attempts: list[Row]) -> str:
    state = message["state"]
    numbers = [one["number"] for one in attempts]
    if numbers != list(range(1, message["attempt_count"] + 1)):
        return f"it counts {message['attempt_count']}, their numbers are {numbers}"
    arrived = any(one["state"] in ARRIVED for one in attempts)
    if arrived != (state in ARRIVED):
        return "whoever was reached stays reached"
    latest = attempts[-1] if attempts else None
    states = {one["state"] for one in attempts}
    if state in ("sent", "unknown") and state not in states:
        return "no attempt of it says so"
    if state == "failed" and "unknown" in states:
        return "an attempt is in doubt, so nobody can say that it failed"
    if state == "unknown" and latest is not None and latest["state"] == "sent":
        return "this is what its latest attempt should say"
    if state == "failed" and latest is not None and latest["state"] != "failed":
        own = message["error_code"].startswith("resend_admin:")
        return "" if own else "its latest attempt did not fail"
    if (state == "sending") != any(one["state"] == "open" for one in attempts):
        return "an open attempt and sending go together"
    return ""
