"""Endpoints: made, changed, switched, removed; and their secrets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from messaging import outside, trail
from messaging.models import (
    AuditKind,
    EndpointState,
    OffReason,
    Organization,
    WebhookEndpoint,
    WebhookHealth,
    WebhookSecret,
)
from messaging.models.webhook import CHOSEN_TYPES
from messaging.trail import Change, Doer
from messaging.webhooks import signing

MOST_ENDPOINTS: Final = 20
OVERLAP: Final = timedelta(hours=24)
"""How long an old secret goes on signing beside the new one."""
NOTICED_AFTER: Final = timedelta(hours=1)
"""A shorter failure is nobody's business: it is being retried."""

DELETED: Final = "Deleted"


class EndpointError(Exception):
    """It cannot be saved like this; the text says why and what to do."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


@dataclass(frozen=True, slots=True)
class Fields:
    """What a person enters."""

    name: str
    url: str
    events: Sequence[str]


def of(organization: Organization) -> list[WebhookEndpoint]:
    """Return what an organization has, each with its health; there are few."""
    living = WebhookEndpoint.objects.filter(
        organization=organization, removed_at__isnull=True
    )
    return list(living.select_related("health").order_by("name", "pk"))


def create(
    *,
    organization: Organization,
    fields: Fields,
    created_by_name: str = "",
    by: Doer | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; return it with its secret, which nobody is shown again.

    Raises :class:`EndpointError`.
    """
    checked = _checked(fields)
    with transaction.atomic():
        # One at a time, so that the limit holds.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if len(of(organization)) >= MOST_ENDPOINTS:
            raise EndpointError(
                f"There are {MOST_ENDPOINTS} endpoints, which is the most there may"
                " be. Delete one first."
            )
        endpoint = WebhookEndpoint(
            organization=organization, created_by_name=created_by_name
        )
        _save(endpoint, checked)
        WebhookHealth.objects.create(endpoint=endpoint)
        secret = _add_secret(endpoint)
        _record(endpoint, by, "Added", _differences(None, endpoint))
    return endpoint, secret


def edit(endpoint: WebhookEndpoint, fields: Fields, *, by: Doer | None = None) -> None:
    """Change it; what waits goes to the new address. Raises :class:`EndpointError`."""
    checked = _checked(fields)
    with transaction.atomic():
        before = WebhookEndpoint.objects.get(pk=endpoint.pk)
        _save(endpoint, checked)
        changes = _differences(before, endpoint)
        if changes:
            _record(endpoint, by, "Changed", changes)


def _save(endpoint: WebhookEndpoint, fields: Fields) -> None:
    endpoint.name, endpoint.url = fields.name, fields.url
    endpoint.events = list(fields.events)
    try:
        with transaction.atomic():
            if endpoint.pk is None:
                endpoint.save()
            else:
                # The switch is not ours to write: it may have moved meanwhile.
                endpoint.save(update_fields=["name", "url", "events"])
    except IntegrityError as error:
        raise EndpointError(
            f"Another endpoint is called “{fields.name}”. Choose another name.", "name"
        ) from error


def _checked(fields: Fields) -> Fields:
    name, url = fields.name.strip(), fields.url.strip()
    if not name:
        raise EndpointError("Enter a name, for example “Shop backend”.", "name")
    check_url(url)
    return Fields(name, url, known_events(fields.events))


def known_events(events: Collection[str]) -> list[str]:
    """Return the events there are among these. Raises :class:`EndpointError`."""
    chosen = [one.value for one in CHOSEN_TYPES if one.value in events]
    if not chosen:
        raise EndpointError("Choose at least one event.", "events")
    return chosen


def check_url(url: str) -> None:
    """Refuse what cannot be called. Raises :class:`EndpointError`."""
    wants = "Enter a full web address that begins with https://."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise EndpointError(wants, "url") from error
    schemes = {"https"}
    if settings.FETCH_FROM_PRIVATE_ADDRESSES:
        schemes.add("http")
    if parts.scheme not in schemes or not host or " " in url or len(url) > 500:
        raise EndpointError(wants, "url")
    if parts.username is not None or parts.fragment:
        raise EndpointError(
            "Leave out the name, the password and whatever follows a “#”. The signature"
            " proves who is calling.",
            "url",
        )
    try:
        outside.refuse_inside(host)
        inside = host.rstrip(".") == "localhost" and not outside.is_outside("127.0.0.1")
    except outside.InsideError:
        inside = True
    if inside:
        raise EndpointError(
            f"“{host}” is an address inside a private network. Enter one that can be"
            " reached from the internet.",
            "url",
        )


def rotate(
    endpoint: WebhookEndpoint, *, at_once: bool = False, by: Doer | None = None
) -> str:
    """Give it another secret and return that, once.

    The present one goes on signing beside it for 24 hours, or, because somebody
    else may have it, stops ``at_once``.
    """
    with transaction.atomic():
        WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        present = WebhookSecret.objects.filter(endpoint=endpoint)
        if at_once:
            present.delete()
        else:
            present.filter(expires_at__lte=Now()).delete()
            present.filter(expires_at__isnull=True).update(expires_at=Now() + OVERLAP)
        _record(endpoint, by, "Replaced the secret of")
        return _add_secret(endpoint)


def _add_secret(endpoint: WebhookEndpoint) -> str:
    text = signing.new_secret()
    secret = WebhookSecret(endpoint=endpoint)
    secret.text = text
    secret.save()
    return text


def switch_on(endpoint: WebhookEndpoint, *, by: Doer | None = None) -> None:
    """Begin again with a clean sheet: what failed before counts no more."""
    with transaction.atomic():
        WebhookHealth.objects.filter(endpoint=endpoint).update(
            failing_since=None, paused_until=None
        )
        WebhookEndpoint.objects.filter(pk=endpoint.pk, removed_at__isnull=True).update(
            state=EndpointState.ON, off_reason="", off_at=None
        )
        _record(endpoint, by, "Switched on")


def switch_off(endpoint: WebhookEndpoint, *, by: Doer | None = None) -> None:
    """Tell it nothing from now on; what waits for it is given up."""
    with transaction.atomic():
        on = WebhookEndpoint.objects.filter(pk=endpoint.pk, state=EndpointState.ON)
        if on.update(
            state=EndpointState.OFF, off_reason=OffReason.PERSON, off_at=Now()
        ):
            _record(endpoint, by, "Switched off")


def remove(endpoint: WebhookEndpoint, *, by: Doer | None = None) -> None:
    """Take it away for good; its log follows in the background."""
    with transaction.atomic():
        switch_off(endpoint)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(removed_at=Now())
        WebhookSecret.objects.filter(endpoint=endpoint).delete()
        _record(endpoint, by, DELETED)


def _record(
    endpoint: WebhookEndpoint,
    by: Doer | None,
    verb: str,
    changes: Sequence[Change] = (),
) -> None:
    """Put on record what somebody did; what the engine does by itself is not."""
    if by is None:
        return
    sentence = f"{verb} the webhook endpoint “{endpoint.name}”."
    link = "" if verb == DELETED else f"/webhooks/{endpoint.pk}/"
    record(endpoint, by, sentence, changes=changes, link=link)


def record(
    endpoint: WebhookEndpoint,
    by: Doer,
    sentence: str,
    *,
    changes: Sequence[Change] = (),
    link: str | None = None,
) -> None:
    """Put on record what somebody did with an endpoint; its page unless ``link``."""
    trail.record(
        AuditKind.WEBHOOK,
        sentence,
        organization_id=endpoint.organization_id,
        doer=by,
        changes=changes,
        link=f"/webhooks/{endpoint.pk}/" if link is None else link,
    )


def _differences(
    before: WebhookEndpoint | None, after: WebhookEndpoint
) -> list[Change]:
    """Tell what is different; of an address the host alone, for it may hold a key."""
    found = [
        ("name", before.name if before else "", after.name),
        ("address at", _host(before.url) if before else "", _host(after.url)),
        (
            "events",
            ", ".join(sorted(before.events)) if before else "",
            ", ".join(sorted(after.events)),
        ),
    ]
    changes = [one for one in found if one[1] != one[2]]
    if before and before.url != after.url and _host(before.url) == _host(after.url):
        changes.append(("address", "", "another one at the same host"))
    return changes


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about an endpoint that somebody should look at."""

    endpoint: WebhookEndpoint
    tone: str
    """A tone of banners: bad when it is off, warn when it may soon be."""
    sentence: str


def notices(organization: Organization) -> list[Notice]:
    """Return what is wrong with the endpoints of an organization; mostly nothing."""
    troubled = WebhookEndpoint.objects.filter(
        Q(off_reason__in=[OffReason.FAILING, OffReason.GONE])
        | Q(state="on", health__failing_since__lt=timezone.now() - NOTICED_AFTER),
        organization=organization,
        removed_at__isnull=True,
    )
    return [
        _notice(one) for one in troubled.select_related("health").order_by("name", "pk")
    ]


def _notice(endpoint: WebhookEndpoint) -> Notice:
    if endpoint.off_reason == OffReason.GONE:
        return Notice(
            endpoint,
            "bad",
            f"The webhook endpoint “{endpoint.name}” answered that it is gone for good,"
            " so it was switched off.",
        )
    if endpoint.off_reason == OffReason.FAILING:
        return Notice(
            endpoint,
            "bad",
            f"The webhook endpoint “{endpoint.name}” took nothing for five days, so it"
            " was switched off.",
        )
    return Notice(
        endpoint,
        "warn",
        f"The webhook endpoint “{endpoint.name}” takes nothing at the moment. It is"
        " switched off after five days without a delivery.",
    )
