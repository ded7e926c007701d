"""The audit trail: lines that nobody changes, and that go with their organization."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from messaging import trail
from messaging.models import Actor, AuditEntry, AuditKind, Organization
from tests.factories import World

pytestmark = pytest.mark.django_db


def line(world: World, sentence: str = "Changed the time zone.") -> AuditEntry:
    trail.record(
        AuditKind.SETTINGS,
        sentence,
        organization_id=world.organization.pk,
        doer=trail.by_person(world.admin),
        changes=[("time zone", "UTC", "Africa/Accra")],
    )
    return AuditEntry.objects.latest("pk")


def test_a_line_says_who_did_what(ours: World) -> None:
    one = line(ours)

    assert (one.actor, one.person_id) == (Actor.PERSON, ours.admin.pk)
    assert one.actor_name == ours.admin.username
    assert one.changes == [["time zone", "UTC", "Africa/Accra"]]


def test_a_line_is_not_changed(ours: World) -> None:
    one = line(ours)

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        AuditEntry.objects.filter(pk=one.pk).update(sentence="Nothing.")
    one.refresh_from_db()
    assert one.sentence == "Changed the time zone."


def test_a_line_is_not_deleted(ours: World) -> None:
    one = line(ours)

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        one.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()
    assert AuditEntry.objects.filter(pk=one.pk).exists()


def test_lines_go_with_their_organization(ours: World) -> None:
    empty = Organization.objects.create(name="Short-lived")
    line(ours)
    trail.record(
        AuditKind.SETTINGS,
        "Made.",
        organization_id=empty.pk,
        doer=trail.by_person(ours.admin),
    )

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_organization WHERE id = %s", [empty.pk])

    assert AuditEntry.objects.get().organization_id == ours.organization.pk


def test_a_line_is_gone_when_the_change_is_taken_back(ours: World) -> None:
    with transaction.atomic():
        line(ours)
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_what_people_typed_fits_into_a_line(ours: World) -> None:
    one = line(ours, "A\x00 very\n\nlong " + "x" * 600)

    assert one.sentence.startswith("A very long xxx")
    assert len(one.sentence) == 500
    assert one.sentence.endswith("…")
