"""Create, update, schedule, cancel, clone, delete: the services behind the buttons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broadcasts.fields import fields_of
from broadcasts.models import Broadcast
from tests.broadcasts.factories import (
    draft,
    finished,
    published_flow,
    retried,
    rows_of,
    scheduled,
    started,
)
from tests.broadcasts.graphql.asking import Asker, code_of
from tests.factories import World

pytestmark = pytest.mark.django_db

CREATE = """
mutation Create($input: BroadcastInput!, $draft: Boolean! = false) {
  createBroadcast(input: $input, asDraft: $draft) {
    id name status kind runAt timeZone expiresAt flow { id }
    audience { tags sentence } routes { template { id } } createdBy
  }
}
"""
UPDATE = """
mutation Update($id: ID!, $changes: BroadcastChanges!) {
  updateBroadcast(id: $id, changes: $changes) {
    name status runAt expiresAt audience { sentence } routes { integration { id } }
    fallbacks { template { id } }
  }
}
"""
ROUTES = """
mutation Routes($id: ID!, $routes: [RouteInput!]!, $fallbacks: [RouteInput!]!) {
  updateBroadcastRoutes(id: $id, routes: $routes, fallbacks: $fallbacks) {
    fallbacks { template { id } }
  }
}
"""
SCHEDULE = """
mutation Schedule($id: ID!, $runAt: DateTime!, $zone: String) {
  scheduleBroadcast(id: $id, runAt: $runAt, timeZone: $zone) { status runAt timeZone }
}
"""
CANCEL = "mutation Cancel($id: ID!) { cancelBroadcast(id: $id) { status } }"
CLONE = "mutation Clone($id: ID!) { cloneBroadcast(id: $id) { id name status } }"
DELETE = "mutation Delete($id: ID!) { deleteDraft(id: $id) }"


def later(**delta: int) -> str:
    return (timezone.now() + timedelta(**(delta or {"hours": 1}))).isoformat()


def template_input(world: World, **values: Any) -> dict[str, Any]:
    route = {
        "integrationId": str(world.integration().pk),
        "templateId": str(world.template().pk),
    }
    typed = {"name": "Renewal", "kind": "TEMPLATE", "routes": [route], **values}
    return {name: value for name, value in typed.items() if value is not None}


def test_a_template_is_created_and_scheduled(ours: World, editor: Asker) -> None:
    typed = template_input(ours, runAt=later(), audience={"tags": ["vip", " gold "]})

    told = editor.ask(CREATE, input=typed)["createBroadcast"]

    assert (told["status"], told["kind"]) == ("SCHEDULED", "TEMPLATE")
    assert told["audience"]["tags"] == ["vip", "gold"]
    assert told["createdBy"] == ours.editor.username
    assert Broadcast.objects.get(pk=told["id"]).organization == ours.organization


def test_a_flow_may_be_an_incomplete_draft(ours: World, writer: Asker) -> None:
    flow = published_flow(ours)
    typed = {"name": "  Welcome   all ", "kind": "FLOW", "flowId": str(flow.pk)}

    told = writer.ask(CREATE, input=typed, draft=True)["createBroadcast"]

    assert (told["status"], told["name"]) == ("DRAFT", "Welcome all")
    assert told["flow"] == {"id": str(flow.pk)}
    assert (told["runAt"], told["routes"]) == (None, [])
    assert told["audience"]["sentence"] == "everyone"


@pytest.mark.parametrize(
    ("values", "field", "word"),
    [
        ({"name": " "}, "name", "Give the broadcast a name."),
        ({"name": "x" * 201}, "name", "Shorten the name to 200"),
        ({"runAt": None}, "runAt", "Choose when it runs."),
        ({"routes": []}, "routes", "Choose at least one route"),
        ({"kind": "FLOW"}, "flowId", "Choose the flow to send."),
        ({"timeZone": "Mars/Base"}, "timeZone", "is not a time zone"),
        ({"audience": {"tags": ["x" * 101]}}, "audience", "longer than 100"),
        ({"audience": {"countries": ["GH"] * 201}}, "audience", "at most 200"),
    ],
)
def test_what_is_wrong_is_said_in_words_and_nothing_is_kept(
    ours: World, writer: Asker, values: dict[str, Any], field: str, word: str
) -> None:
    typed = template_input(ours, **{"runAt": later(), **values})

    error = writer.error(CREATE, input=typed)

    assert code_of(error) == "BAD_USER_INPUT"
    assert error["extensions"]["field"] == field
    assert word in error["message"]
    assert Broadcast.objects.count() == 0


def test_more_routes_than_a_page_offers_are_refused(ours: World, writer: Asker) -> None:
    [way] = template_input(ours)["routes"]

    error = writer.error(CREATE, input=template_input(ours, routes=[way] * 6))

    assert error["message"] == "Name at most 5 routes."


@pytest.mark.parametrize("what", ["integration", "template", "flow"])
def test_what_another_organization_owns_is_not_found(
    ours: World, theirs: World, writer: Asker, what: str
) -> None:
    typed = template_input(ours, runAt=later())
    if what == "flow":
        typed |= {"kind": "FLOW", "flowId": str(published_flow(theirs).pk)}
    else:
        made = getattr(theirs, what)()
        typed["routes"][0][f"{what}Id"] = str(made.pk)

    error = writer.error(CREATE, input=typed)

    assert (code_of(error), error["message"]) == (
        "NOT_FOUND",
        f"There is no such {what}.",
    )
    assert Broadcast.objects.count() == 0


def test_creating_takes_a_slot(ours: World, writer: Asker) -> None:
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    draft(ours, name="Old")

    error = writer.error(CREATE, input=template_input(ours), draft=True)

    assert code_of(error) == "QUOTA_EXCEEDED"
    assert "delete the oldest draft, “Old”" in error["message"]


def test_what_is_left_out_stays(ours: World, editor: Asker) -> None:
    made = scheduled(ours, name="Before")
    ends = later(days=2)

    told = editor.ask(
        UPDATE,
        id=str(made.pk),
        changes={"name": "After", "expiresAt": ends, "audience": {"countries": ["gh"]}},
    )["updateBroadcast"]
    again = editor.ask(
        UPDATE, id=str(made.pk), changes={"expiresAt": None, "audience": None}
    )["updateBroadcast"]

    assert (told["name"], told["status"]) == ("After", "SCHEDULED")
    assert told["expiresAt"] is not None
    assert told["audience"]["sentence"] == "in GH"
    assert (again["expiresAt"], again["name"]) == (None, "After")
    assert again["audience"]["sentence"] == "everyone"
    made.refresh_from_db()
    assert len(fields_of(made).routes) == 1


@pytest.mark.parametrize("name", ["name", "kind", "timeZone"])
def test_what_must_be_there_cannot_be_emptied(
    ours: World, editor: Asker, name: str
) -> None:
    error = editor.error(UPDATE, id=str(draft(ours).pk), changes={name: None})

    assert code_of(error) == "BAD_USER_INPUT"
    assert error["extensions"]["field"] == name


def test_a_scheduled_broadcast_needs_its_time(ours: World, editor: Asker) -> None:
    error = editor.error(UPDATE, id=str(scheduled(ours).pk), changes={"runAt": None})

    assert error["message"] == "Choose when it runs."


def test_a_finished_broadcast_is_not_edited(ours: World, editor: Asker) -> None:
    source = finished(ours, "failed")

    error = editor.error(UPDATE, id=str(source.pk), changes={"name": "Other"})

    assert code_of(error) == "BAD_USER_INPUT"
    assert error["extensions"]["isConflict"] is True
    assert "Clone it and edit the copy." in error["message"]


def test_fallbacks_are_added_until_a_retry_has_started(
    ours: World, editor: Asker
) -> None:
    source = finished(ours, "failed")
    retry = retried(source, ours)
    typed = template_input(ours)["routes"]
    values = {"id": str(source.pk), "routes": typed, "fallbacks": typed}

    told = editor.ask(ROUTES, **values)["updateBroadcastRoutes"]

    assert told["fallbacks"] == [{"template": {"id": typed[0]["templateId"]}}]
    retry.refresh_from_db()
    assert len(fields_of(retry).fallbacks) == 1
    started(retry)
    assert "A retry of it has started" in editor.error(ROUTES, **values)["message"]


def test_a_draft_gets_its_time(ours: World, writer: Asker) -> None:
    made = draft(ours)
    day = timezone.now().date() + timedelta(days=9)

    told = writer.ask(
        SCHEDULE, id=str(made.pk), runAt=f"{day}T09:00:00", zone="Asia/Tokyo"
    )["scheduleBroadcast"]

    assert told == {
        "status": "SCHEDULED",
        "runAt": f"{day}T00:00:00Z",
        "timeZone": "Asia/Tokyo",
    }


def test_cancelling_takes_back_what_has_not_left(ours: World, writer: Asker) -> None:
    ours.contact()
    made = started(scheduled(ours))

    told = writer.ask(CANCEL, id=str(made.pk))["cancelBroadcast"]
    error = writer.error(CANCEL, id=str(made.pk))

    assert told == {"status": "CANCELLED"}
    assert {one.state for one in rows_of(made)} == {"cancelled"}
    assert code_of(error) == "BAD_USER_INPUT"
    assert error["message"].startswith("It is too late to cancel")


def test_a_clone_is_a_draft(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed", name="News")

    told = writer.ask(CLONE, id=str(source.pk))["cloneBroadcast"]

    assert (told["name"], told["status"]) == ("Copy of News", "DRAFT")


def test_only_a_draft_is_deleted(ours: World, writer: Asker) -> None:
    made, other = draft(ours), scheduled(ours)

    told = writer.ask(DELETE, id=str(made.pk))

    assert told == {"deleteDraft": str(made.pk)}
    assert not Broadcast.objects.filter(pk=made.pk).exists()
    assert (
        "Only drafts are deleted" in writer.error(DELETE, id=str(other.pk))["message"]
    )


def test_several_changes_are_made_one_after_the_other(
    ours: World, writer: Asker
) -> None:
    made = scheduled(ours)

    told = writer.ask(
        """mutation Both($id: ID!) {
             stopped: cancelBroadcast(id: $id) { status }
             copy: cloneBroadcast(id: $id) { status }
           }""",
        id=str(made.pk),
    )

    assert told == {"stopped": {"status": "CANCELLED"}, "copy": {"status": "DRAFT"}}
