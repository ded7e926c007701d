"""Every staff page at 5,000 and at 5,000,000 messages, request by request in turn.

Beside them the dialogs about very many messages. Their figures are those of each
message, so no size is compared with another: they have to open in time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.report import Report, Target
from benchmarks.visits import prepare

if TYPE_CHECKING:
    from benchmarks.owners import Owner
    from benchmarks.stage import Stage

SMALL = 5_000
LARGE = 5_000_000
REQUESTS = 100
"""Of each page and size; 95 % of them are as quick as the figure, or quicker."""
WARM = 3
MOST = 1.5
OPENING_MS = 300
"""Until a dialog is open, whatever it is about."""
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


NOTES = ("From the request to the last byte of the page, in the process of the web.",)


def run(stage: Stage) -> Report:
    """Fill two databases of one server, and ask both for the same pages in turn."""
    prepare()
    sites = {}
    for name, messages in (("small", SMALL), ("large", stage.size(LARGE, SMALL))):
        stage.say(f"making {messages:,} messages…")
        sites[name] = Site.filled(stage, name, messages)
    requests = stage.size(REQUESTS, 5)
    times = {
        page: _measured(sites, page, stage, requests)
        for page in sites["small"].addresses
    }
    dialogs = {
        dialog: _measured(sites, dialog, stage, requests)
        for dialog in sites["small"].dialogs
    }
    ratios = {page: each["large"] / each["small"] for page, each in times.items()}
    worst = max(ratios.values())
    return Report(
        title="Pages at 5,000 and at 5,000,000 messages, p95 in milliseconds",
        columns=("page", "5,000", "5,000,000", "ratio"),
        rows=[
            (page, each["small"], each["large"], f"{ratios[page]:.2f}")
            for page, each in times.items()
        ]
        + [
            (f"dialog: {dialog}", each["small"], each["large"], "")
            for dialog, each in dialogs.items()
        ],
        ratios={
            "worst_page": worst,
            "median_page": median(ratios.values()),
            "slowest_dialog_ms": max(each["large"] for each in dialogs.values()),
        },
        targets={
            "worst_page": Target(at_most=MOST),
            "slowest_dialog_ms": Target(at_most=OPENING_MS),
        },
        raw={
            "p95_ms": times,
            "dialogs_p95_ms": dialogs,
            "ratios": ratios,
            "requests": requests,
        },
        notes=NOTES,
    )


def _measured(
    sites: dict[str, Site], page: str, stage: Stage, requests: int
) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in sites}
    for number in range(WARM + requests):
        for name, site in sites.items():
            seconds = site.seconds(page)
            if number >= WARM:
                taken[name].append(seconds * 1_000)
    found = {name: _p95(each) for name, each in taken.items()}
    stage.say(f"{page}: {found['small']:.1f} and {found['large']:.1f} ms")
    return found


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.95) - 1)]


class Site:
    """One of the databases, and somebody who is logged in to it."""

    def __init__(self, alias: str, owner: Owner) -> None:
        from django.test import Client

        self.alias = alias
        self.owner = owner
        self.client = Client()
        with self.active():
            self.client.force_login(owner.editor)

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Every page; made when first asked for, as tokens live for minutes."""
        with self.active():
            return _addresses(self.owner)

    @cached_property
    def dialogs(self) -> dict[str, str]:
        """Every dialog, like the pages."""
        with self.active():
            return _dialogs(self.owner)

    @classmethod
    def filled(cls, stage: Stage, name: str, messages: int) -> Site:
        from django.core.management import call_command

        from benchmarks.population import populate

        connect(stage.database(name), name)
        with using(name):
            call_command("migrate", interactive=False, verbosity=0)
            return cls(name, populate(messages).largest)

    @contextmanager
    def active(self) -> Iterator[None]:
        with using(self.alias):
            yield

    def seconds(self, page: str) -> float:
        """Return how long one request takes, the content and all."""
        with self.active():
            begin = time.perf_counter()
            if page in self.dialogs:
                answer = self.client.get(self.dialogs[page], headers=IN_DIALOG)
            else:
                answer = self.client.get(self.addresses[page])
            taken = time.perf_counter() - begin
        if answer.status_code != 200:
            message = f"{page} answers {answer.status_code}"
            raise RuntimeError(message)
        return taken


def connect(url: str, alias: str) -> None:
    """Let Django know another database of the same server."""
    from django.db import connections

    name = url.rpartition("/")[2]
    connections.settings[alias] = {**connections.settings["default"], "NAME": name}


@contextmanager
def using(alias: str) -> Iterator[None]:
    """Let everything in this thread that asks for the database get this one."""
    from django.db import connections

    usual = connections["default"]
    connections["default"] = connections[alias]
    try:
        yield
    finally:
        connections["default"] = usual


def _addresses(owner: Owner) -> dict[str, str]:
    """Return every page by its name, with filters one by one and together."""
    from django.urls import reverse

    from benchmarks.causes import causes_of
    from messaging import embed
    from messaging.filters import SEEN_STATES
    from messaging.models import BulkResend, Message, MessageState

    broadcast = owner.largest_broadcast.pk
    failed = (
        Message.objects.filter(broadcast_id=broadcast, state=MessageState.FAILED)
        .select_related("contact")
        .order_by("pk")[3]
    )
    member = failed.contact
    bulk = BulkResend.objects.filter(organization=owner.organization).first()
    assert bulk is not None, "the population has some"
    causes = [one.code for one in causes_of("whatsapp")]
    main, *_, unused = (one.pk for one in owner.integrations)
    day = (date.today() - timedelta(days=9)).isoformat()
    messages = reverse("messaging:message-list")
    members = reverse("messaging:member-list")
    detail = reverse("broadcasts:broadcast-detail", args=[broadcast])
    token = embed.make_token(owner.organization, member.external_id)

    def listed(**asked: Any) -> str:
        return f"{messages}?{urlencode(asked)}"

    return {
        "overview": reverse("overview"),
        "broadcasts": reverse("broadcasts:broadcast-list"),
        "broadcasts, one name": f"{reverse('broadcasts:broadcast-list')}?q=Newsletter",
        "broadcast": detail,
        "broadcast, a common cause": f"{detail}?{urlencode({'cause': causes[0]})}",
        "broadcast, a rare cause": f"{detail}?{urlencode({'cause': causes[-1]})}",
        "a new broadcast": reverse("broadcasts:broadcast-create"),
        "messages": messages,
        **{f"messages: {key}": listed(state=key) for key in SEEN_STATES},
        "messages: channel": listed(channel="telegram"),
        "messages: integration": listed(integration=main),
        "messages: unused integration": listed(integration=unused),
        "messages: one day": listed(since=day, until=day),
        "messages: broadcast": listed(broadcast=broadcast),
        "messages: error": listed(error=causes[0]),
        "messages: rare error": listed(error=causes[-1]),
        "messages: class of error": listed(error_class="wait"),
        "messages: failed, unused integration": listed(
            state="failed", integration=unused
        ),
        "messages: delivered by mail, one day": listed(
            state="delivered", channel="email", since=day, until=day
        ),
        "messages: failed, broadcast, rare error": listed(
            state="failed", broadcast=broadcast, error=causes[-1]
        ),
        "search: a name": listed(q=member.name),
        "search: a first name": listed(q="Ama"),
        "search: a phone number": listed(q=member.phone),
        "search: a message's number": listed(q=failed.pk),
        "search: nothing": listed(q="nobody has this name"),
        "message": reverse("messaging:message-detail", args=[failed.pk]),
        "unknown messages": reverse("messaging:message-unknown"),
        "causes": reverse("causes"),
        "members": members,
        "members: country": f"{members}?country=NL",
        "members: nobody": f"{members}?country=ZZ",
        "members: a tag": f"{members}?{urlencode({'tag': 'branch 7'})}",
        "member": reverse("messaging:member-detail", args=[member.pk]),
        "bulk resends": reverse("messaging:bulk-list"),
        "bulk resend": reverse("messaging:bulk-detail", args=[bulk.pk]),
        "reports": reverse("reports"),
        "embedded tab": "{}?{}".format(
            reverse("messaging:embedded-communications", args=[member.external_id]),
            urlencode({"token": token}),
        ),
    }


def _dialogs(owner: Owner) -> dict[str, str]:
    """Return every dialog whose figures are those of very many messages."""
    from django.urls import reverse

    from benchmarks.causes import causes_of
    from broadcasts.models import Broadcast
    from messaging.views.cause_dialog import dialog_of_cause

    chain = owner.largest_broadcast
    alone = (
        Broadcast.objects.filter(
            organization=owner.organization,
            state="completed",
            root__isnull=True,
            chain__isnull=True,
        )
        .order_by("pk")
        .first()
    )
    assert alone is not None, "the population has some"
    bulk = reverse("messaging:bulk-create")
    return {
        "retry": reverse("broadcasts:broadcast-retry", args=[alone.pk]),
        "retry in a chain": reverse("broadcasts:broadcast-retry", args=[chain.pk]),
        "bulk resend of all that failed": f"{bulk}?all=1&state=failed",
        "bulk resend of a broadcast": f"{bulk}?all=1&state=failed&broadcast={chain.pk}",
        "a common cause": dialog_of_cause(causes_of("whatsapp")[0].code),
        "a rare cause": dialog_of_cause(causes_of("whatsapp")[-1].code),
    }
