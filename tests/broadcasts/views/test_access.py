"""Who gets in: every page of broadcasts, for everybody who should not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from broadcasts.models import Broadcast, BroadcastState
from messaging.models import User
from tests.broadcasts.factories import draft, finished, scheduled
from tests.broadcasts.views.pages import text_of, url_of
from tests.factories import World

TO_READ = ["detail", "progress", "failed-csv"]
FORMS = ["retry", "edit", "routes", "schedule", "cancel", "delete"]
TO_POST = ["clone"]
EVERY_ONE = [*TO_READ, *FORMS, *TO_POST]
LISTS = ["overview", "broadcasts:broadcast-list", "broadcasts:overview-running"]
METHODS = ["get", "post", "put", "patch", "delete"]


def stands_still(broadcast: Broadcast) -> bool:
    """Whether nothing was made of it or done to it."""
    return (
        Broadcast.objects.count() == 1
        and Broadcast.objects.filter(
            pk=broadcast.pk, state=broadcast.state, name=broadcast.name
        ).exists()
    )


@pytest.mark.parametrize("name", EVERY_ONE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_broadcast_of_another_organization_is_not_found(
    ours: World, stranger: Client, name: str, method: str
) -> None:
    for own in (finished(ours, "failed"),):
        response = getattr(stranger, method)(url_of(name, own))

        wrong_method = (name in TO_READ) == (method == "post") and name not in FORMS
        assert response.status_code == (405 if wrong_method else 404)
        assert stands_still(own)


@pytest.mark.parametrize("name", EVERY_ONE)
@pytest.mark.parametrize("pk", [0, 2**63, 10**30])
def test_a_number_that_cannot_exist_is_not_found(
    editor: Client, name: str, pk: int
) -> None:
    url = reverse(f"broadcasts:broadcast-{name}", args=[pk])
    ask = editor.post if name in TO_POST else editor.get

    assert ask(url).status_code == 404


@pytest.mark.parametrize("name", EVERY_ONE)
def test_strangers_are_sent_to_the_log_in(
    client: Client, ours: World, name: str
) -> None:
    url = url_of(name, draft(ours))

    for method in ("get", "post"):
        response = getattr(client, method)(url)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("login"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [*LISTS, "broadcasts:broadcast-create", "broadcasts:audience-preview"],
)
def test_strangers_see_no_list_and_no_form(client: Client, name: str) -> None:
    assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", [*FORMS, *TO_POST])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_agent_may_change_nothing(
    ours: World, agent: Client, name: str, method: str
) -> None:
    own = finished(ours, "failed")
    if name in TO_POST and method == "get":
        return

    response = getattr(agent, method)(url_of(name, own))

    assert response.status_code == 403
    assert "It takes the role editor" in text_of(response)
    assert stands_still(own)


@pytest.mark.parametrize("name", ["broadcast-create", "audience-preview"])
def test_an_agent_may_write_nothing(agent: Client, name: str) -> None:
    assert agent.post(reverse(f"broadcasts:{name}")).status_code == 403


@pytest.mark.parametrize("name", TO_READ)
def test_an_agent_may_look(ours: World, agent: Client, name: str) -> None:
    assert agent.get(url_of(name, finished(ours, "failed"))).status_code == 200


@pytest.mark.parametrize(
    "state", [BroadcastState.DRAFT, BroadcastState.SCHEDULED, BroadcastState.COMPLETED]
)
def test_an_agent_is_shown_no_button(ours: World, agent: Client, state: str) -> None:
    own = {
        BroadcastState.DRAFT: lambda: draft(ours),
        BroadcastState.SCHEDULED: lambda: scheduled(ours),
        BroadcastState.COMPLETED: lambda: finished(ours, "failed"),
    }[BroadcastState(state)]()

    page = text_of(agent.get(url_of("detail", own)))

    for words in ("Retry failed", "Retry 1", "Clone", "Edit", "Cancel", "Schedule…"):
        assert words not in page
    assert "New broadcast" not in text_of(
        agent.get(reverse("broadcasts:broadcast-list"))
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EVERY_ONE)
def test_a_wrong_method_is_refused(
    ours: World, editor: Client, name: str, method: str
) -> None:
    right = {"get"} if name in TO_READ else {"get", "post"}
    right = {"post"} if name in TO_POST else right
    if method in right:
        return

    assert getattr(editor, method)(url_of(name, draft(ours))).status_code == 405


@pytest.mark.parametrize("name", LISTS)
def test_lists_only_answer_to_reading(editor: Client, name: str) -> None:
    assert editor.post(reverse(name)).status_code == 405
    assert editor.delete(reverse(name)).status_code == 405


@pytest.mark.parametrize("name", LISTS)
def test_an_operator_is_shown_the_way_to_the_admin(
    client: Client, db: None, name: str
) -> None:
    client.force_login(User.objects.create_superuser("operator"))

    response = client.get(reverse(name))

    assert response.status_code == 403
    assert reverse("admin:index") in response.content.decode()
