"""Webhooks: what dispatch loses while an endpoint is told of everything, and while
nobody listens. Worker, beat and couriers run as ``make run`` starts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.measured import Measured, cpu_per_message, rate
from benchmarks.contenders.ours import Ours
from benchmarks.report import Report, Target
from benchmarks.stage import Stage
from messaging.models import (
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookType,
)
from messaging.models.webhook import CHOSEN_TYPES
from messaging.webhooks import endpoints
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.problem import StartError

MESSAGES = 10_000
ROUNDS = 9
WAYS = ("without", "unheard", "told")

TARGETS = {
    "told_to_without": Target(at_least=0.9),
    "unheard_to_without": Target(at_least=0.95),
}
NOTES = (
    "without: the outbox is switched off. unheard: it is there, and nobody listens.",
    "told: an endpoint for every event, and a courier at work in the same worker.",
    "Median of the runs, which take turns.",
)


@dataclass
class Outbox:
    """The switch of the outbox, and one endpoint that is there or not."""

    ours: Ours
    receiver: str

    def without(self) -> None:
        self._triggers("DISABLE")

    def unheard(self) -> None:
        self._triggers("ENABLE")

    def told(self) -> None:
        self._triggers("ENABLE")
        endpoints.create(
            organization=self.ours.organization,
            fields=endpoints.Fields(
                "Everything", self.receiver, [one.value for one in CHOSEN_TYPES]
            ),
        )

    def clear(self) -> None:
        """Let nothing of one run be carried into the next."""
        for endpoint in endpoints.of(self.ours.organization):
            endpoints.remove(endpoint)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE messaging_webhookdelivery, messaging_webhookevent")
        WebhookEndpoint.objects.all().delete()

    def _triggers(self, verb: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE messaging_message {verb} TRIGGER"
                " messaging_message_tells_webhooks"
            )


def run(stage: Stage) -> Report:
    """Send the same broadcast in three ways, in turns."""
    stage.environment["FETCH_FROM_PRIVATE_ADDRESSES"] = "1"
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    messages = stage.size(MESSAGES, least=100)
    at = arena(stage)
    outbox = Outbox(Ours(at, messages), receiver(stage))
    runs: dict[str, list[Measured]] = {way: [] for way in WAYS}
    delivered: list[int] = []
    for number in range(1, ROUNDS + 1):
        # Each is as often first, second and last: a machine may grow slow in a round.
        first = number % len(WAYS)
        for way in WAYS[first:] + WAYS[:first]:
            prepare: Callable[[], None] = getattr(outbox, way)
            prepare()
            measured = measure(at, outbox.ours, f"{way} {number}", messages)
            runs[way].append(measured)
            # The end of the run before may be told as well.
            told = WebhookEvent.objects.filter(type=WebhookType.MESSAGE_SENT).count()
            if told != (messages if way == "told" else 0):
                raise StartError(f"{way}: {told} events for {messages} messages.")
            if way == "told":
                delivered.append(_delivered())
            outbox.clear()
    return report(runs, delivered)


def measure(at: Arena, ours: Ours, name: str, messages: int) -> Measured:
    return ours.measure(name, messages, at.provider())


def receiver(stage: Stage) -> str:
    """Start a program that is told; return its address."""
    port = free_port()
    stage.start("receiver", "-m", "benchmarks.provider", f"--port={port}")
    return f"http://{HOST}:{port}/0/hooks"


def _delivered() -> int:
    return WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).count()


def report(runs: dict[str, list[Measured]], delivered: list[int]) -> Report:
    alone = runs["without"]
    return Report(
        title="Webhooks, messages per second and processor time for each",
        columns=("Outbox", "Messages", "Messages/s", "µs each"),
        rows=[
            (way, each[0].messages, round(rate(each)), round(cpu_per_message(each)))
            for way, each in runs.items()
        ],
        ratios={
            "told_to_without": rate(runs["told"]) / rate(alone),
            "unheard_to_without": rate(runs["unheard"]) / rate(alone),
            "cpu_told_to_without": cpu_per_message(runs["told"])
            / cpu_per_message(alone),
            "cpu_unheard_to_without": cpu_per_message(runs["unheard"])
            / cpu_per_message(alone),
        },
        targets=TARGETS,
        raw={
            "delivered_meanwhile": delivered,
            "runs": {
                way: [one.document() for one in each] for way, each in runs.items()
            },
        },
        notes=NOTES,
    )
