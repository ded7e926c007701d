"""What keeps a broadcast from being retried now: another retry that comes first."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from broadcasts.clock import in_words, starts_soon
from broadcasts.models import Broadcast, BroadcastState, FrozenMembers
from broadcasts.models.broadcast import LIVE_STATES


def held_source(broadcast: Broadcast) -> Broadcast:
    """Return a broadcast that is to be retried, with its row held until the commit.

    Whoever retries another run of its chain has taken a slot before, which holds the
    organization: so one of them comes first, and the other sees whom that one covers.
    """
    return (
        Broadcast.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "root", "flow")
        .get(pk=broadcast.pk)
    )


def live_retry(broadcast: Broadcast) -> Broadcast | None:
    """Return the retry of it that is scheduled or sending; there is one at most."""
    return broadcast.retries.filter(state__in=LIVE_STATES).first()


def unlisted_run(broadcast: Broadcast) -> Broadcast | None:
    """Return the live run of its chain whose members are not all in rows yet.

    Until they are, nobody can tell by the rows whom that run covers.
    """
    written_down = FrozenMembers.objects.filter(broadcast=OuterRef("pk"))
    return Broadcast.objects.filter(
        Exists(written_down),
        root_id=broadcast.chain_root_id,
        state__in=LIVE_STATES,
    ).first()


def unlisted_in_words(run: Broadcast) -> str:
    """Say whose list is being made, and what to do about it."""
    taking = f"“{run.name}” is taking over members of the same chain; its list is"
    if run.state == BroadcastState.SCHEDULED and starts_soon(run.run_at):
        when = in_words(run.run_at or run.created_at, run.time_zone)
        return (
            f"{taking} complete when it starts, on {when}. Try again then, or cancel"
            " that one first."
        )
    return (
        f"{taking} complete in a moment. Try again in a minute, or cancel that one"
        " first."
    )


def live_in_words(live: Broadcast) -> str:
    """Say which retry is in the way, and what to do about it."""
    if live.state == BroadcastState.SENDING:
        return f"“{live.name}” is sending to them now. Wait until it has finished."
    when = in_words(live.run_at or live.created_at, live.time_zone)
    return (
        f"“{live.name}” is already scheduled for {when}."
        " Change that one, or cancel it first."
    )
