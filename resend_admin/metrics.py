"""``GET /metrics``: what Prometheus asks for, for whoever has the token.

Every value is read from PostgreSQL when it is asked for, so it is right whichever of
many processes answers, and after each of their restarts.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from broadcasts import overdue
from messaging.metering import BUCKETS, Durations, Readings, readings
from messaging.models import IntegrationState

PREFIX = "resend_admin"


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics; without ``METRICS_TOKEN`` there are none."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _is_authentic(request.headers.get("Authorization", "")):
        return HttpResponse(
            "Send the token of METRICS_TOKEN: Authorization: Bearer …\n",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
            content_type="text/plain; charset=utf-8",
        )
    try:
        found = readings(overdue.starts())
    except DatabaseError:
        return HttpResponse(
            "PostgreSQL does not answer.\n",
            status=503,
            content_type="text/plain; charset=utf-8",
        )
    registry = CollectorRegistry()
    registry.register(_Given(found))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_authentic(header: str) -> bool:
    scheme, _, token = header.partition(" ")
    right = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and right


class _Given(Collector):
    """Hands over what was read just now."""

    def __init__(self, found: Readings) -> None:
        self.found = found

    def collect(self) -> Iterator[Metric]:
        yield from _messages(self.found)
        yield _durations(self.found)
        yield _gauge(
            "attempts_open", "Attempts under way now.", self.found.attempts_open
        )
        yield _gauge(
            "receipts_waiting",
            "Receipts that are stored and not applied yet.",
            self.found.receipts_waiting,
        )
        yield _gauge(
            "oldest_due_seconds",
            "Age of the oldest message that is due and has not left, or of the oldest"
            " broadcast or bulk resend that is due and not in the queues; 0 without.",
            self.found.oldest_due_seconds,
        )
        if self.found.pulse_seconds is not None:
            yield _gauge(
                "pulse_age_seconds",
                "Seconds since the engine last said that it is alive.",
                self.found.pulse_seconds,
            )
        yield from _by_name(self.found)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _messages(found: Readings) -> Iterator[Metric]:
    outcomes = CounterMetricFamily(
        f"{PREFIX}_messages",
        "How often messages came to an outcome.",
        labels=["channel", "outcome"],
    )
    for (channel, outcome), number in sorted(found.messages.items()):
        outcomes.add_metric([channel, outcome], number)
    yield outcomes
    unknown = GaugeMetricFamily(
        f"{PREFIX}_messages_unknown",
        "Messages of which nobody can tell whether they left.",
        labels=["channel"],
    )
    for channel, number in sorted(found.unknown.items()):
        unknown.add_metric([channel], number)
    yield unknown


def _durations(found: Readings) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        f"{PREFIX}_dispatch_seconds",
        "How long an attempt took, from its first request to the last answer.",
        labels=["channel"],
    )
    for channel, durations in sorted(found.durations.items()):
        family.add_metric(
            [channel], _buckets(durations), sum_value=durations.milliseconds / 1000
        )
    return family


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    """Add the buckets up, as Prometheus wants them."""
    total, added = 0, []
    for bound in BUCKETS:
        total += durations.buckets.get(str(bound), 0)
        added.append((str(bound / 1000), float(total)))
    total += durations.buckets.get("inf", 0)
    return [*added, ("+Inf", float(total))]


def _by_name(found: Readings) -> Iterator[Metric]:
    integrations = GaugeMetricFamily(
        f"{PREFIX}_integrations", "Integrations by state.", labels=["state"]
    )
    for state in IntegrationState.values:
        integrations.add_metric([state], found.integrations.get(state, 0))
    yield integrations
    holdups = GaugeMetricFamily(
        f"{PREFIX}_holdups",
        "Integrations whose oldest message is late by more than a minute, and starts"
        " that are, by cause; “rate” alone is no alarm.",
        labels=["cause"],
    )
    for cause, number in found.holdups.items():
        holdups.add_metric([cause], number)
    yield holdups
