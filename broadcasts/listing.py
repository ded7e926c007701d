"""A retry to members whom somebody names one by one, instead of those who failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from broadcasts import access, freezing
from broadcasts.chain import keep_where_members_stood
from broadcasts.clock import DIALOG_TOLERANCE, check_lead, local_moment
from broadcasts.in_the_way import (
    held_source,
    live_in_words,
    live_retry,
    unlisted_in_words,
    unlisted_run,
)
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from broadcasts.patience import wait_longer
from broadcasts.problems import bad_input, conflict, not_found
from broadcasts.quota import take_slot
from broadcasts.retry import WAIT
from broadcasts.retrying import copy_routes, new_retry, note_scheduled
from broadcasts.ways import rows, statement
from messaging.models import ApiClient, User

MOST = 10_000
"""Members that one list may name: their rows are made here and now."""
MOST_NAMED = 5
"""Members in doubt whom a refusal names."""
LISTED = "listed"
"""Where a broadcast has the number of members that its list named."""
ALL_REACHED = (
    "Everybody on the list has got it already. Clone the broadcast to send it to them"
    " once more."
)


def create(
    *,
    broadcast: Broadcast,
    person: User | None,
    run_at: datetime,
    time_zone: str,
    contact_ids: Sequence[int],
    client: ApiClient | None = None,
    include_unknown: bool = False,
) -> Broadcast:
    """Schedule a retry to exactly these members.

    Neither the filter nor the list of those who failed is asked, so rows may have
    aged out, and members may be named who were in no run before. Who got it from any
    run of the chain is still not sent it twice: that is found out when it starts, as
    for every retry, and stands on the row. Who may have got it is refused, as on the
    page, unless ``include_unknown`` says that it shall go to them in doubt.
    """
    access.require_writer(person, broadcast.organization_id)
    chosen = list(dict.fromkeys(contact_ids))
    _check_length(chosen)
    moment = local_moment(run_at, time_zone)
    check_lead(moment, time_zone, DIALOG_TOLERANCE)
    try:
        with transaction.atomic():
            take_slot(broadcast.organization_id)
            source = held_source(broadcast)
            _require_free(source)
            retry = new_retry(
                source, person, moment, time_zone, includes_unknown=include_unknown
            )
            _take_content(source, retry)
            copy_routes(source, retry)
            wait_longer()
            _plan(source, retry, chosen)
            note_scheduled(retry, members_in_words(retry), person, client)
    except IntegrityError:
        live = live_retry(broadcast)
        if live is None:
            raise
        raise conflict(live_in_words(live)) from None
    return retry


def members_in_words(retry: Broadcast) -> str:
    """Say whom a retry is for, as the end of a sentence."""
    number = retry.audience.get(LISTED)
    if number:
        return "1 member on a list" if number == 1 else f"{number:,} members on a list"
    source = retry.retry_of
    return f"the members whom “{source.name}” missed" if source else ""


def _check_length(chosen: Sequence[int]) -> None:
    if not chosen:
        raise bad_input(
            "The list names nobody. Name members, or leave the list out to retry those"
            " who failed.",
            "contact_ids",
        )
    if len(chosen) > MOST:
        raise bad_input(
            f"Name at most {MOST:,} members; the list has {len(chosen):,}.",
            "contact_ids",
        )


def _check_doubt(contact_ids: Sequence[int]) -> None:
    """Refuse members who may have got it: it would be sent to them twice."""
    if not contact_ids:
        return
    named = ", ".join(str(one) for one in contact_ids[:MOST_NAMED])
    if len(contact_ids) > MOST_NAMED:
        named += f" and {len(contact_ids) - MOST_NAMED:,} more"
    raise bad_input(
        f"Nobody can tell whether it has reached contact {named}, so it might reach"
        " them twice. Take them off the list, or include the unknown ones.",
        "contact_ids",
    )


def _require_free(source: Broadcast) -> None:
    """Refuse what is not over, or has a retry in its way."""
    waits = WAIT.get(BroadcastState(source.state))
    if waits:
        raise bad_input(waits)
    live = live_retry(source)
    if live is not None:
        raise conflict(live_in_words(live))
    unlisted = unlisted_run(source)
    if unlisted is not None:
        raise conflict(unlisted_in_words(unlisted))


def _take_content(source: Broadcast, retry: Broadcast) -> None:
    """Take what the flow says now where the source was cancelled before it began."""
    if source.kind == BroadcastKind.FLOW and source.content_id is None and source.flow:
        retry.content_id = source.flow.published_content_id
        retry.save(update_fields=["content"])


def _plan(source: Broadcast, retry: Broadcast, chosen: Sequence[int]) -> None:
    """Make a row for each member: those of the chain go on from where they stood."""
    root_id = source.chain_root_id
    chain = Broadcast.objects.filter(root_id=root_id).values_list("pk", flat=True)
    found = rows(
        statement("listed_members"),
        {
            "contact_ids": chosen,
            "organization_id": source.organization_id,
            "broadcast_ids": [root_id, *chain],
            "source_id": source.pk,
        },
    )
    if len(found) < len(chosen):
        raise not_found("contact")
    if all(one["is_reached"] for one in found):
        raise bad_input(ALL_REACHED, "contact_ids")
    if not retry.includes_unknown:
        _check_doubt([one["contact_id"] for one in found if one["is_in_doubt"]])
    retry.audience = {LISTED: len(chosen)}
    retry.save(update_fields=["audience"])
    known = [one["message_id"] for one in found if one["message_id"]]
    others = [one["contact_id"] for one in found if not one["message_id"]]
    freezing.plan_members(retry, known)
    freezing.plan_rows("plan_newcomers", retry, contact_ids=others)
    keep_where_members_stood(retry)
