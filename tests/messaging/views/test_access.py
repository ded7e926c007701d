"""Who gets in: every page of messaging, for everybody who should not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import World
from tests.messaging.views.rows import tried

PAGES = ["message-list", "member-list", "member-import", "member-import-template"]
ONE = ["message-detail", "message-standing", "member-detail"]
FOR_EDITORS = [
    ("get", "member-import"),
    ("get", "member-import-template"),
    ("post", "member-import"),
    ("post", "member-import-problems"),
]


def own_url(name: str, world: World) -> str:
    message = tried(world, "delivered")
    pk = message.contact_id if name == "member-detail" else message.pk
    return reverse(f"messaging:{name}", kwargs={"pk": pk})


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*PAGES, "member-import-problems"])
def test_anonymous_people_are_sent_to_the_log_in(client: Client, name: str) -> None:
    url = reverse(f"messaging:{name}")

    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("name", ONE)
def test_anonymous_people_see_no_single_row(
    client: Client, ours: World, name: str
) -> None:
    response = client.get(own_url(name, ours))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", ONE)
def test_a_row_of_another_organization_is_not_found(
    ours: World, stranger: Client, name: str
) -> None:
    assert stranger.get(own_url(name, ours)).status_code == 404


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("pk", [0, 2**63, 10**30])
def test_a_number_that_cannot_exist_is_not_found(
    agent: Client, name: str, pk: int
) -> None:
    url = reverse(f"messaging:{name}", kwargs={"pk": pk})

    assert agent.get(url).status_code == 404


@pytest.mark.parametrize("name", ONE)
def test_everybody_of_the_organization_may_look(
    ours: World, agent: Client, name: str
) -> None:
    assert agent.get(own_url(name, ours)).status_code == 200


@pytest.mark.parametrize(("method", "name"), FOR_EDITORS)
def test_an_agent_is_told_which_role_it_takes(
    agent: Client, method: str, name: str
) -> None:
    response = getattr(agent, method)(reverse(f"messaging:{name}"))

    assert response.status_code == 403
    assert "It takes the role <strong>editor</strong>" in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_an_operator_is_shown_the_way_to_the_admin(operator: Client, name: str) -> None:
    response = operator.get(reverse(f"messaging:{name}"))

    assert response.status_code == 403
    assert reverse("admin:index") in response.content.decode()


@pytest.mark.parametrize("name", ["message-list", "member-list", *ONE])
def test_pages_only_answer_to_reading(ours: World, editor: Client, name: str) -> None:
    url = own_url(name, ours) if name in ONE else reverse(f"messaging:{name}")

    assert editor.post(url).status_code == 405
    assert editor.delete(url).status_code == 405


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("member-import", "put"),
        ("member-import-problems", "get"),
        ("member-import-template", "post"),
    ],
)
def test_a_wrong_method_is_refused(editor: Client, name: str, wrong: str) -> None:
    assert getattr(editor, wrong)(reverse(f"messaging:{name}")).status_code == 405


def test_import_is_offered_to_those_who_may(agent: Client, editor: Client) -> None:
    url = reverse("messaging:member-list")
    link = reverse("messaging:member-import")

    assert link not in agent.get(url).content.decode()
    assert link in editor.get(url).content.decode()
