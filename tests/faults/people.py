"""People and programs at work while everything breaks: ``-m tests.faults.people``.

They start broadcasts, retry and cancel them, send single messages and send them
again, one by one and in bulk, through the real services and the real web server.
What they ask for is written down *before* they ask, because the answer may never
come: the checker believes a second copy only where this log asks for one.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import DatabaseError, close_old_connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from broadcasts import drafts, retry, retrying, schedule  # noqa: E402
from broadcasts.audience import Audience  # noqa: E402
from broadcasts.fields import BroadcastFields, RouteSpec  # noqa: E402
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState  # noqa: E402
from broadcasts.problems import Problem  # noqa: E402
from messaging import resend  # noqa: E402
from messaging.bulk import freezing, verdict  # noqa: E402
from messaging.bulk.selection import Selection  # noqa: E402
from messaging.models import Actor, Contact, Message, Organization  # noqa: E402
from tests.faults.diary import Diary  # noqa: E402
from tests.faults.outside import API_SECRET  # noqa: E402
from tests.faults.scene import TAGS, Side, build, find  # noqa: E402

AT_RISK = ("failed", "unknown")
MOST_WAITING = 200
"""Messages in the queue beyond which nobody starts another broadcast."""
NORMAL = (DatabaseError, Problem, OSError, http.client.HTTPException)
"""What people meet while servers are down, or when somebody else was quicker."""


class People:
    """Everybody who works with the product during one run."""

    def __init__(self, sides: list[Side], diary: Diary, seed: int) -> None:
        self.sides = sides
        self.diary = diary
        self.seed = seed
        self.stop = threading.Event()
        self.done: Counter[str] = Counter()

    def begin(self) -> None:
        """Start a few broadcasts at once, so that there is something to break."""
        dice = random.Random(self.seed)  # noqa: S311, it has to be repeatable
        for _ in range(5):
            self.start_broadcast(dice)

    def work(self) -> None:
        """Let everybody work, each in a thread, until somebody says stop."""
        habits: list[tuple[Callable[[random.Random], None], float]] = [
            (self.start_broadcast, 2.5),
            (self.retry_broadcast, 4.0),
            (self.cancel_broadcast, 25.0),
            (self.resend_in_bulk, 6.0),
            (self.resend_over_http, 0.25),
            (self.resend_at_the_same_time, 0.8),
            (self.send_over_http, 0.5),
        ]
        threads = [
            threading.Thread(target=self._keep_doing, args=(number, act, every))
            for number, (act, every) in enumerate(habits)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            # Not at a stretch: a signal may be taken by another thread, and is heard
            # by this one alone, once it wakes.
            while thread.is_alive():
                thread.join(1.0)

    def _keep_doing(
        self, number: int, act: Callable[[random.Random], None], every: float
    ) -> None:
        dice = random.Random(self.seed * 100 + number)  # noqa: S311
        while not self.stop.wait(dice.expovariate(1 / every)):
            try:
                act(dice)
                self.done[act.__name__] += 1
            except NORMAL as error:
                self.done[f"{act.__name__}: {type(error).__name__}"] += 1
            # A fault of the product must not end the load; the checker finds it.
            except Exception as error:  # noqa: BLE001
                self.diary.write("surprise", act=act.__name__, error=repr(error)[:500])
            finally:
                close_old_connections()

    # -- broadcasts ---------------------------------------------------------------

    def start_broadcast(self, dice: random.Random) -> None:
        waiting = Message.objects.filter(state__in=["planned", "queued"])
        if waiting[MOST_WAITING:].exists():
            return
        side = dice.choice(self.sides)
        is_flow = dice.random() < 0.5
        fields = BroadcastFields(
            name=f"Run {dice.randrange(10**9)}",
            kind=BroadcastKind.FLOW if is_flow else BroadcastKind.TEMPLATE,
            flow_id=side.flow.pk if is_flow else None,
            routes=self._routes(side, dice, is_flow=is_flow),
            audience=Audience(tags=(dice.choice(TAGS),)),
        )
        made = drafts.create_draft(
            organization=side.organization,
            person=side.editor,
            fields=fields,
        )
        schedule.schedule(
            broadcast=made,
            person=side.editor,
            run_at=timezone.now() + timedelta(minutes=5),
            time_zone="UTC",
        )
        self._let_it_be_due(made)

    def _routes(
        self, side: Side, dice: random.Random, *, is_flow: bool
    ) -> list[RouteSpec]:
        if is_flow:
            chosen = dice.sample(side.senders, 2)
            return [RouteSpec(one.pk) for one in chosen]
        senders = [one for one in side.senders if one.channel == "whatsapp"]
        return [RouteSpec(dice.choice(senders).pk, side.template.pk)]

    def _let_it_be_due(self, broadcast: Broadcast) -> None:
        """Nobody waits for minutes here."""
        Broadcast.objects.filter(pk=broadcast.pk, state="scheduled").update(
            run_at=timezone.now()
        )

    def retry_broadcast(self, dice: random.Random) -> None:
        finished = list(
            Broadcast.objects.filter(
                state__in=[BroadcastState.COMPLETED, BroadcastState.CANCELLED]
            ).order_by("-pk")[:30]
        )
        if not finished:
            return
        broadcast = dice.choice(finished)
        include_unknown = dice.random() < 0.4
        offer = retry.offer(broadcast, include_unknown=include_unknown)
        if not offer.state.enabled or not offer.count:
            return
        side = self._side_of(broadcast.organization_id)
        if include_unknown:
            self.diary.write("retry", broadcast=broadcast.pk, accepts_duplicate=True)
        made = retrying.create(
            broadcast=broadcast,
            person=side.editor,
            run_at=timezone.now() + timedelta(minutes=5),
            time_zone="UTC",
            shown_count=offer.count,
            shown_at=offer.shown_at,
            include_unknown=include_unknown,
        )
        self.diary.write("retried", broadcast=made.pk, members=offer.count)
        self._let_it_be_due(made)

    def cancel_broadcast(self, dice: random.Random) -> None:
        sending = list(Broadcast.objects.filter(state=BroadcastState.SENDING)[:10])
        if sending:
            one = dice.choice(sending)
            person = self._side_of(one.organization_id).editor
            schedule.cancel(broadcast=one, person=person)

    # -- one message, and many ------------------------------------------------------

    def resend_in_bulk(self, dice: random.Random) -> None:
        side = dice.choice(self.sides)
        organization, person = side.organization, side.editor
        candidates = Message.objects.filter(
            organization=organization, state__in=AT_RISK
        ).order_by("-pk")
        chosen = list(candidates.values_list("pk", flat=True)[:60])
        risky = dice.random() < 0.4
        rows = Message.objects.filter(organization=organization, pk__in=chosen)
        selection = Selection(rows, "Torture")
        found = verdict.verdict(selection, organization)
        if risky:
            self.diary.write("bulk", messages=chosen, accepts_duplicate=True)
        freezing.freeze(
            selection,
            organization,
            freezing.Order(
                person, found.shown_at, found.candidates, accepts_duplicate=risky
            ),
        )

    def resend_over_http(self, dice: random.Random) -> None:
        side = dice.choice(self.sides)
        message = self._a_failed_one(side, dice, channel="whatsapp")
        if message is None:
            return
        risky = dice.random() < 0.5
        if risky:
            self.diary.write("resend", messages=[message.pk], accepts_duplicate=True)
        self._post(
            side,
            "/v1/whatsapp/resend",
            {"messageId": message.public_id, "acceptDuplicate": risky},
        )

    def resend_at_the_same_time(self, dice: random.Random) -> None:
        """Two press the button for one message at once; this process sends, too."""
        side = dice.choice(self.sides)
        message = self._a_failed_one(side, dice)
        if message is None:
            return
        risky = dice.random() < 0.3
        if risky:
            self.diary.write("resend", messages=[message.pk], accepts_duplicate=True)
        wish = resend.Wish(accepts_duplicate=risky)
        asker = resend.Asker(Actor.PERSON, "Somebody")

        def press() -> None:
            try:
                resend.resend(resend.fresh(message.pk), asker, wish)
            except NORMAL as error:
                self.done[f"press: {type(error).__name__}"] += 1
            finally:
                close_old_connections()

        both = [threading.Thread(target=press) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()

    def send_over_http(self, dice: random.Random) -> None:
        side = dice.choice(self.sides)
        contacts = Contact.objects.filter(organization=side.organization)
        contact = contacts.order_by("pk")[dice.randrange(100)]
        self._post(
            side,
            "/v1/whatsapp/send",
            {
                "to": contact.phone,
                "type": "text",
                "text": {"body": f"One of a kind {dice.randrange(10**9)}"},
            },
        )

    def _a_failed_one(
        self, side: Side, dice: random.Random, **values: Any
    ) -> Message | None:
        found = Message.objects.filter(
            organization=side.organization, state__in=AT_RISK, **values
        ).order_by("-pk")[:40]
        rows = list(found.select_related("organization"))
        return dice.choice(rows) if rows else None

    def _post(self, side: Side, path: str, body: dict[str, Any]) -> None:
        pair = base64.b64encode(f"{side.api_key}:{API_SECRET}".encode()).decode()
        connection = http.client.HTTPConnection(
            urlsplit(settings.PUBLIC_URL).netloc, timeout=20
        )
        try:
            connection.request(
                "POST",
                path,
                json.dumps(body),
                {
                    "Authorization": f"Basic {pair}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": str(random.getrandbits(64)),
                },
            )
            answer = connection.getresponse()
            said = answer.read().decode("utf-8", "replace")
            self.done[f"{path} {answer.status}{_code(said)}"] += 1
            if answer.status == 500:
                self.diary.write("surprise", act=path, error=said[:300])
        finally:
            connection.close()

    def _side_of(self, organization_id: int) -> Side:
        return next(
            side for side in self.sides if side.organization.pk == organization_id
        )


def _code(body: str) -> str:
    """Return the stable code of a refusal, to be counted."""
    try:
        return f" {json.loads(body).get('code', '')}".rstrip()
    except (ValueError, AttributeError):
        return ""


def main() -> int:
    """Work until told to stop; with a fifth argument only begin, and go."""
    path, members, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    diary = Diary(path)
    if not Organization.objects.exists():
        build(members)
    people = People(find(), diary, seed)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: people.stop.set())
    people.begin()
    diary.write("ready", seed=seed)
    if len(sys.argv) == 4:
        people.work()
    diary.write("done", **{name: people.done[name] for name in sorted(people.done)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
