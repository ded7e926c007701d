"""Deliveries: how fast webhooks leave while nothing else wants the processor, alone,
beside each other, and beside an endpoint that never answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count

from benchmarks.report import Report, Target
from benchmarks.stage import Stage
from messaging.models import DeliveryState, Organization, WebhookDelivery
from messaging.models.webhook import CHOSEN_TYPES
from messaging.webhooks import endpoints
from resend_admin.local.ports import HOST, free_port
from resend_admin.local.problem import StartError

DELIVERIES = 6_000
ROUNDS = 3
ANSWER_MS = 20
HANGS_MS = 60_000
WAYS: dict[str, Sequence[int]] = {
    "one": (ANSWER_MS,),
    "three": (ANSWER_MS, ANSWER_MS, ANSWER_MS),
    "beside one that hangs": (ANSWER_MS, HANGS_MS),
}
"""Who is told, by the milliseconds that each takes to answer."""
WANTED = 500
LONGEST_WAIT = 120.0
LOOK_SECONDS = 0.05

TARGETS = {
    f"one_to_{WANTED}_per_second": Target(at_least=1.0),
    "last_to_first_of_three": Target(at_least=0.8),
    "beside_hanging_to_one": Target(at_least=0.8),
}
NOTES = (
    f"Endpoints answer after {ANSWER_MS} ms; the one that hangs never does.",
    "Worker and beat as `make run` starts them, one courier, 20 requests of an"
    " endpoint at a time.",
    "last to first: what the last of three had by the time that the first had all.",
    "Median of the runs, which take turns.",
)

FILL = """
WITH event AS (
    INSERT INTO messaging_webhookevent (organization_id, type, data)
    SELECT %(organization_id)s, 'message.delivered', jsonb_build_object(
        'messageId', 'ra_whatsapp_' || number || '_0123456789', 'state', 'delivered',
        'previousState', 'sent', 'channel', 'whatsapp', 'externalId', 'M' || number,
        'attempt', 1, 'error', NULL)
    FROM generate_series(1, %(number)s) AS number
    RETURNING id, type
)
INSERT INTO messaging_webhookdelivery (endpoint_id, event_id, type, priority)
SELECT endpoint_id, event.id, event.type, 3
FROM event CROSS JOIN unnest(%(endpoint_ids)s) AS endpoint_id
"""


@dataclass(frozen=True)
class Run:
    """Deliveries of each endpoint by the time that the first had all of them."""

    seconds: float
    delivered: tuple[int, ...]

    @property
    def rate(self) -> float:
        return sum(self.delivered) / self.seconds

    @property
    def fairness(self) -> float:
        return min(self.delivered) / max(self.delivered)


def run(stage: Stage) -> Report:
    stage.environment["FETCH_FROM_PRIVATE_ADDRESSES"] = "1"
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    number = stage.size(DELIVERIES, least=200)
    port = free_port()
    stage.start("receiver", "-m", "benchmarks.provider", f"--port={port}")
    organization = Organization.objects.create(name="Benchmark")
    for program in (stage.roster.worker(), stage.roster.beat()):
        program.start()
        stage.cleanup.callback(program.stop)
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, delays in WAYS.items():
            made = measure(organization, delays, port, number)
            stage.say(f"{way}: {made.rate:,.0f} deliveries/s, {made.delivered}")
            runs[way].append(made)
            clear(organization)
    return report(runs, number)


def measure(
    organization: Organization, delays: Sequence[int], port: int, number: int
) -> Run:
    made = [
        endpoints.create(
            organization=organization,
            fields=endpoints.Fields(
                f"Endpoint {place}",
                f"http://{HOST}:{port}/{delay}/hooks",
                [one.value for one in CHOSEN_TYPES],
            ),
        )[0].pk
        for place, delay in enumerate(delays)
    ]
    quick = [pk for pk, delay in zip(made, delays, strict=True) if delay == ANSWER_MS]
    values: dict[str, Any] = {
        "organization_id": organization.pk,
        "number": number,
        "endpoint_ids": made,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
    began = time.perf_counter()
    while True:
        time.sleep(LOOK_SECONDS)
        told = delivered(quick)
        seconds = time.perf_counter() - began
        if max(told) == number:
            return Run(seconds, told)
        if seconds > LONGEST_WAIT:
            raise StartError(f"Only {told} of {number} were delivered in time.")


def delivered(endpoint_ids: Sequence[int]) -> tuple[int, ...]:
    counts = dict(
        WebhookDelivery.objects.filter(
            endpoint__in=endpoint_ids, state=DeliveryState.DELIVERED
        )
        .values_list("endpoint")
        .annotate(number=Count("pk"))
    )
    return tuple(counts.get(one, 0) for one in endpoint_ids)


def clear(organization: Organization) -> None:
    """Let nothing of one run be carried into the next."""
    for endpoint in endpoints.of(organization):
        endpoints.remove(endpoint)
    # Whatever is under way may still be answered.
    time.sleep(6)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE messaging_webhookdelivery, messaging_webhookevent")


def median(found: Sequence[float]) -> float:
    return sorted(found)[len(found) // 2]


def report(runs: dict[str, list[Run]], number: int) -> Report:
    rates = {way: median([one.rate for one in each]) for way, each in runs.items()}
    return Report(
        title="Webhooks, deliveries per second",
        columns=("Told", "Endpoints", "Deliveries of each", "Deliveries/s"),
        rows=[
            (way, len(delays), number, round(rates[way]))
            for way, delays in WAYS.items()
        ],
        ratios={
            f"one_to_{WANTED}_per_second": rates["one"] / WANTED,
            "last_to_first_of_three": median([one.fairness for one in runs["three"]]),
            "beside_hanging_to_one": rates["beside one that hangs"] / rates["one"],
        },
        targets=TARGETS,
        raw={
            "deliveries_per_second": {
                way: [round(one.rate, 1) for one in each] for way, each in runs.items()
            },
            "delivered": {
                way: [one.delivered for one in each] for way, each in runs.items()
            },
        },
        notes=NOTES,
    )
