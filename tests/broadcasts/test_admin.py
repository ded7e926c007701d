"""Broadcasts and flows in Django admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from broadcasts.models import Broadcast, Flow
from messaging.models import User
from tests.broadcasts.factories import (
    draft,
    finished,
    published_flow,
    rows_of,
    scheduled,
)
from tests.factories import World

LIST = "/admin/broadcasts/broadcast/"
FLOWS = "/admin/broadcasts/flow/"


@pytest.fixture
def manager(ours: World) -> Client:
    client = Client()
    client.force_login(ours.admin)
    return client


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def do(client: Client, url: str, action: str, *rows: Any) -> str:
    """Choose rows of a list, run an action, and return what the page says then."""
    response = client.post(
        url,
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def retries_of(source: Broadcast) -> list[Broadcast]:
    return list(Broadcast.objects.filter(retry_of=source))


def test_retry_failed_schedules_a_retry_and_says_when(
    ours: World, manager: Client
) -> None:
    own = finished(ours, "failed", "failed", "delivered", name="Invoice")

    page = do(manager, LIST, "retry_failed", own)

    (made,) = retries_of(own)
    assert "“Invoice”: 2 members will be tried again on" in page
    assert rows_of(made).count() == 2
    assert made.created_by == ours.admin


def test_retry_failed_says_what_it_refuses_and_does_the_rest(
    ours: World, manager: Client
) -> None:
    good = finished(ours, "failed", name="Good")
    well = finished(ours, "delivered", name="All well")
    waits = scheduled(ours, name="Waits")

    page = do(manager, LIST, "retry_failed", good, well, waits)

    assert "“All well”: Nothing failed, so there is nothing to retry." in page
    assert "“Waits”: It has not run yet." in page
    assert len(retries_of(good)) == 1


def test_retry_failed_twice_makes_one(ours: World, manager: Client) -> None:
    own = finished(ours, "failed")
    do(manager, LIST, "retry_failed", own)

    page = do(manager, LIST, "retry_failed", own)

    assert "is already scheduled for" in page
    assert len(retries_of(own)) == 1


def test_retry_failed_stops_at_the_cap(ours: World, manager: Client) -> None:
    first, second = finished(ours, "failed"), finished(ours, "failed")
    ours.organization.broadcast_quota = 1
    ours.organization.save()

    page = do(manager, LIST, "retry_failed", first, second)

    assert "slots for drafts and scheduled broadcasts are in use" in page
    assert len(retries_of(first)) + len(retries_of(second)) == 1


def test_managers_see_their_own_broadcasts_and_no_others(
    ours: World, theirs: World, manager: Client
) -> None:
    draft(ours, name="Our own")
    foreign = finished(theirs, "failed", name="Somebody else's")

    page = manager.get(LIST).content.decode()
    retried = do(manager, LIST, "retry_failed", foreign)

    assert "Our own" in page
    assert "Somebody else" not in page
    assert "Somebody else" not in retried
    assert retries_of(foreign) == []
    assert manager.get(f"{LIST}{foreign.pk}/change/").status_code == 404


def test_operators_see_and_retry_all(
    ours: World, theirs: World, operator: Client
) -> None:
    rows = [finished(ours, "failed"), finished(theirs, "failed")]

    do(operator, LIST, "retry_failed", *rows)

    assert all(retries_of(one) for one in rows)


def test_a_broadcast_is_looked_at_and_not_changed(ours: World, manager: Client) -> None:
    own = draft(ours, name="Renewal")
    url = f"{LIST}{own.pk}/change/"

    page = manager.get(url).content.decode()
    response = manager.post(url, {"name": "Hacked"})

    own.refresh_from_db()
    assert reverse("broadcasts:broadcast-detail", args=[own.pk]) in page
    assert "whatsapp_cloud" in page
    assert response.status_code == 403
    assert own.name == "Renewal"
    assert manager.get(f"{LIST}add/").status_code == 403
    assert manager.get(f"{LIST}{own.pk}/delete/").status_code == 403


def test_agents_and_editors_find_nothing(ours: World) -> None:
    for person in (ours.agent, ours.editor):
        client = Client()
        client.force_login(person)
        assert client.get(LIST).status_code == 302
        assert client.get(FLOWS).status_code == 302


# Flows


def steps(*contents: Any, **values: Any) -> dict[str, Any]:
    """What the form of a flow posts, with its steps in this order."""
    posted: dict[str, Any] = {
        "steps-TOTAL_FORMS": len(contents),
        "steps-INITIAL_FORMS": 0,
        **values,
    }
    for number, content in enumerate(contents):
        posted[f"steps-{number}-position"] = number + 1
        posted[f"steps-{number}-content"] = content.pk
    return posted


def test_a_flow_is_made_with_its_steps_and_published(
    ours: World, manager: Client
) -> None:
    first, second = ours.text("One"), ours.text("Two")

    response = manager.post(f"{FLOWS}add/", steps(first, second, name="Welcome"))
    flow = Flow.objects.get()
    page = do(manager, FLOWS, "publish", flow)

    flow.refresh_from_db()
    assert response.status_code == 302
    assert flow.organization == ours.organization
    assert [step.content for step in flow.steps.all()] == [first, second]
    assert "“Welcome” is published." in page
    assert flow.is_published

    assert "is not sent any more" in do(manager, FLOWS, "unpublish", flow)
    flow.refresh_from_db()
    assert not flow.is_published


def test_steps_change_places(ours: World, manager: Client) -> None:
    flow = published_flow(ours, ours.text("One"), ours.text("Two"))
    one, two = flow.steps.order_by("position")

    response = manager.post(
        f"{FLOWS}{flow.pk}/change/",
        {
            "name": flow.name,
            "steps-TOTAL_FORMS": 2,
            "steps-INITIAL_FORMS": 2,
            "steps-0-id": one.pk,
            "steps-0-flow": flow.pk,
            "steps-0-position": 2,
            "steps-0-content": one.content_id,
            "steps-1-id": two.pk,
            "steps-1-flow": flow.pk,
            "steps-1-position": 1,
            "steps-1-content": two.content_id,
        },
    )

    assert response.status_code == 302
    texts = [step.content.payload["text"] for step in flow.steps.order_by("position")]
    assert texts == ["Two", "One"]


def test_a_flow_without_steps_is_not_published(ours: World, manager: Client) -> None:
    flow = Flow.objects.create(organization=ours.organization, name="Empty")

    page = do(manager, FLOWS, "publish", flow)

    assert "“Empty”: Add at least one step before you publish." in page


def test_steps_are_of_ones_own_organization(
    ours: World, theirs: World, manager: Client, operator: Client
) -> None:
    foreign = theirs.text("Secret")

    response = manager.post(f"{FLOWS}add/", steps(foreign, name="Welcome"))
    by_operator = operator.post(
        f"{FLOWS}add/",
        steps(foreign, name="Welcome", organization=ours.organization.pk),
    )

    assert response.status_code == 200
    assert "This content belongs to another organization." in (
        by_operator.content.decode()
    )
    assert not Flow.objects.exists()


def test_a_flow_of_another_organization_is_not_found(
    theirs: World, manager: Client
) -> None:
    flow = published_flow(theirs)

    do(manager, FLOWS, "unpublish", flow)

    flow.refresh_from_db()
    assert flow.is_published
    assert manager.get(f"{FLOWS}{flow.pk}/change/").status_code == 404
