"""New and edit: one page, with or without scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts import schedule
from broadcasts.audience import Audience
from broadcasts.fields import RouteSpec, specs_of
from broadcasts.models import Broadcast, BroadcastState, Flow, RouteRole
from messaging.models import Content
from tests.broadcasts.factories import (
    draft,
    finished,
    published_flow,
    retried,
    scheduled,
    started,
)
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World

NEW = "/broadcasts/new/"


def text_values(world: World, **values: Any) -> dict[str, Any]:
    """What somebody types who writes a text."""
    integration_id = values.pop("integration_id", None) or world.integration().pk
    return {
        "name": "Opening hours",
        "what": "text",
        "text": "Hello {{first_name}}, we open at 8.",
        "route_1_integration": integration_id,
        "time_zone": "UTC",
        "action": "draft",
        **values,
    }


def tomorrow(hour: int = 12) -> str:
    day = timezone.now() + timedelta(days=1)
    return f"{day:%Y-%m-%d}T{hour:02}:00"


def only_broadcast() -> Broadcast:
    return Broadcast.objects.get()


# Writing


def test_the_empty_form(ours: World, editor: Client) -> None:
    ours.contact(name="Ama Mensah")

    page = text_of(editor.get(NEW))

    assert "Nothing is sent before you schedule it." in page
    assert "within 24 hours after the member last wrote" in page
    assert "1 member For example Ama Mensah" in page
    assert "0 of 25 slots" in page


def test_without_an_integration_it_says_what_to_do(ours: World, editor: Client) -> None:
    said = "There is no integration to send by yet. Ask an admin to connect one"

    assert said in text_of(editor.get(NEW))
    ours.integration()
    assert said not in text_of(editor.get(NEW))


def test_a_text_becomes_a_published_flow_of_one_step(
    ours: World, editor: Client
) -> None:
    response = editor.post(NEW, text_values(ours, subject="Hours"))

    own = only_broadcast()
    assert response["Location"] == url_of("detail", own)
    assert own.state == BroadcastState.DRAFT
    assert own.created_by == ours.editor
    flow = own.flow
    assert flow is not None
    assert flow.is_published
    assert flow.name == "Opening hours"
    assert flow.published_content is not None
    assert flow.published_content.payload == {
        "parts": [
            {
                "kind": "text",
                "payload": {
                    "text": "Hello {{first_name}}, we open at 8.",
                    "subject": "Hours",
                },
            }
        ]
    }


def test_two_texts_of_one_name_get_flows_of_two(ours: World, editor: Client) -> None:
    for _ in range(2):
        editor.post(NEW, text_values(ours))

    names = set(Flow.objects.values_list("name", flat=True))
    assert names == {"Opening hours", "Opening hours (2)"}


def test_a_template_with_routes_fallbacks_and_audience(
    ours: World, editor: Client
) -> None:
    number, sms = ours.integration(), ours.integration("twilio")
    renewal, spare = ours.template("renewal"), ours.template("spare")
    ours.contact(tags=["vip"], country="GH", language="en")

    editor.post(
        NEW,
        {
            "name": "Renewal",
            "what": "template",
            "route_1_integration": number.pk,
            "route_1_template": renewal.pk,
            "route_2_integration": "",
            "route_2_template": "",
            "route_3_integration": sms.pk,
            "route_3_template": renewal.pk,
            "fallback_1_integration": number.pk,
            "fallback_1_template": spare.pk,
            "tags": ["vip"],
            "more_tags": "gold, ,staff",
            "countries": ["GH"],
            "time_zone": "UTC",
            "action": "draft",
        },
    )

    own = only_broadcast()
    assert own.audience == {"tags": ["vip", "gold", "staff"], "countries": ["GH"]}
    assert specs_of(own, RouteRole.ROUTE) == (
        RouteSpec(number.pk, renewal.pk),
        RouteSpec(sms.pk, renewal.pk),
    )
    assert specs_of(own, RouteRole.FALLBACK) == (RouteSpec(number.pk, spare.pk),)


def test_a_flow_that_is_published(ours: World, editor: Client) -> None:
    flow = published_flow(ours, name="Welcome")

    editor.post(NEW, text_values(ours, what="flow", flow=flow.pk, text=""))

    assert only_broadcast().flow == flow


def test_scheduling_at_once_in_a_named_zone(ours: World, editor: Client) -> None:
    response = editor.post(
        NEW,
        text_values(
            ours,
            action="schedule",
            run_at="2030-07-01T12:00",
            time_zone="Europe/Amsterdam",
            expires_at="2030-07-02T12:00",
        ),
    )

    own = only_broadcast()
    assert own.state == BroadcastState.SCHEDULED
    assert own.run_at == datetime(2030, 7, 1, 10, tzinfo=UTC)
    assert own.expires_at == datetime(2030, 7, 2, 10, tzinfo=UTC)
    page = text_of(editor.get(response["Location"]))
    assert "will run on 1 Jul 2030 at 12:00 (Europe/Amsterdam)." in page


# Refusals


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"name": " "}, "name", "Give the broadcast a name."),
        ({"text": ""}, "text", "Write what the members should read."),
        (
            {"text": "Hi {{first_name}}, or {{ nickname }}"},
            "text",
            "Nothing is known as {{nickname}}, so members would read just that.",
        ),
        ({"subject": "A subject {{1}}"}, "subject", "Nothing is known as {{1}}"),
        ({"run_at": "soon"}, "run_at", "Enter a date and time"),
        ({"action": "schedule"}, "run_at", "Choose when it runs."),
        (
            {"action": "schedule", "run_at": "2020-01-01T10:00"},
            "run_at",
            "Choose a time at least 2 minutes ahead",
        ),
        (
            {
                "action": "schedule",
                "run_at": "2030-03-31T02:30",
                "time_zone": "Europe/Amsterdam",
            },
            "run_at",
            "02:30 does not exist on that day in Europe/Amsterdam",
        ),
        (
            {
                "action": "schedule",
                "run_at": "2030-10-27T02:30",
                "time_zone": "Europe/Amsterdam",
            },
            "run_at",
            "02:30 happens twice on that day in Europe/Amsterdam",
        ),
        (
            {
                "action": "schedule",
                "run_at": "2030-07-02T10:00",
                "expires_at": "2030-07-01T10:00",
            },
            "expires_at",
            "Choose an end later than the start",
        ),
        (
            {
                "action": "schedule",
                "run_at": "2030-07-02T10:00",
                "route_1_integration": "",
            },
            "route_1_integration",
            "Choose at least one route to send by.",
        ),
        ({"route_1_integration": "999999"}, "route_1_integration", "valid choice"),
        ({"time_zone": "Mars/Base"}, "time_zone", "valid choice"),
        ({"what": "flow"}, "flow", "Choose the flow to send."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    ours: World, editor: Client, values: dict[str, str], field: str, sentence: str
) -> None:
    typed = text_values(
        ours, **{"more_tags": "rare tag", "subject": "A subject", **values}
    )

    response = editor.post(NEW, typed)

    assert response.status_code == 422
    assert sentence in " ".join(response.context["form"].errors[field])
    assert sentence in text_of(response)
    page = html_of(response)
    assert "rare tag" in page
    assert "A subject" in page
    assert str(typed["name"]).strip() in page
    assert Broadcast.objects.count() == 0
    assert Flow.objects.count() == 0
    assert Content.objects.count() == 0


def test_everything_that_is_wrong_is_said_at_once(ours: World, editor: Client) -> None:
    draft(ours, name="Forgotten draft")
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    typed = text_values(
        ours,
        name="",
        text="Hi {{nickname}}",
        route_1_integration="",
        run_at="2020-01-02T10:00",
        expires_at="2020-01-01T10:00",
        more_tags="rare tag",
        action="schedule",
    )

    response = editor.post(NEW, typed)

    form = response.context["form"]
    at_fields = set(form.errors) - {"__all__"}
    wrong = {"name", "text", "route_1_integration", "run_at", "expires_at"}
    assert response.status_code == 422
    assert at_fields == wrong
    page = text_of(response)
    assert "delete the oldest draft, “Forgotten draft”" in page
    assert "Look at the fields that are marked" in page
    for name in ("text", "run_at", "expires_at", "more_tags"):
        assert form[name].value() == typed[name]


def test_a_draft_may_lack_a_time_and_routes(ours: World, editor: Client) -> None:
    response = editor.post(NEW, text_values(ours, route_1_integration="", name=""))

    assert set(response.context["form"].errors) == {"name"}


def test_half_a_row_is_pointed_out(ours: World, editor: Client) -> None:
    number, template = ours.integration(), ours.template()

    response = editor.post(
        NEW,
        text_values(
            ours,
            what="template",
            integration_id=number.pk,
            fallback_1_template=template.pk,
        ),
    )

    errors = response.context["form"].errors
    assert errors["route_1_template"] == ["Choose a template, or empty this row."]
    assert errors["fallback_1_integration"] == [
        "Choose an integration, or empty this row."
    ]


def test_what_a_channel_cannot_carry_is_refused_at_its_row(
    ours: World, editor: Client
) -> None:
    sms, number = ours.integration("twilio"), ours.integration()

    response = editor.post(
        NEW,
        text_values(
            ours,
            integration_id=number.pk,
            route_2_integration=sms.pk,
            text="x" * 2000,
        ),
    )

    errors = response.context["form"].errors
    assert response.status_code == 422
    assert "route_1_integration" not in errors
    assert "1600" in errors["route_2_integration"][0].replace(",", "")


def test_at_the_cap_it_says_which_slot_to_free(ours: World, editor: Client) -> None:
    draft(ours, name="Forgotten draft")
    ours.organization.broadcast_quota = 1
    ours.organization.save()

    response = editor.post(NEW, text_values(ours))

    assert response.status_code == 409
    assert "delete the oldest draft, “Forgotten draft”" in text_of(response)
    assert "we open at 8." in text_of(response)
    assert Flow.objects.count() == 0


def test_nothing_of_another_organization_can_be_chosen(
    ours: World, theirs: World, editor: Client
) -> None:
    theirs.contact(tags=["secret tag"])
    foreign = theirs.integration(name="Foreign number")
    published_flow(theirs, name="Foreign flow")
    theirs.template("foreign_template")

    for what in ("text", "template", "flow"):
        page = html_of(editor.post(NEW, {"show": what}))
        for words in ("Foreign", "foreign_template", "secret tag"):
            assert words not in page
    refused = editor.post(NEW, text_values(ours, integration_id=foreign.pk))

    assert refused.status_code == 422
    assert Broadcast.objects.count() == 0


# Without scripts


@pytest.mark.parametrize("what", ["text", "template", "flow"])
def test_changing_what_is_sent_loses_nothing(
    ours: World, editor: Client, what: str
) -> None:
    flow = published_flow(ours)
    template = ours.template()
    typed = text_values(
        ours,
        flow=flow.pk,
        route_1_template=template.pk,
        subject="Hours",
        more_tags="gold",
        run_at=tomorrow(),
        show=what,
    )

    response = editor.post(NEW, typed)

    assert response.status_code == 200
    assert "Not saved yet" not in text_of(response)
    form = response.context["form"]
    assert form.source == what
    for name in ("text", "subject", "flow", "more_tags", "run_at", "route_1_template"):
        assert str(form[name].value()) == str(typed[name])
    assert Broadcast.objects.count() == 0


def test_rows_are_added_one_by_one_up_to_the_limit(ours: World, editor: Client) -> None:
    values: dict[str, Any] = text_values(ours)
    shown = []
    for _ in range(5):
        response = editor.post(NEW, {**values, "show": "route"})
        form = response.context["form"]
        shown.append(len(form.route_rows))
        values["route_count"] = form["route_count"].value()

    assert shown == [3, 4, 5, 5, 5]
    assert "Add another route" not in text_of(response)
    assert "Add another fallback" in text_of(response)


def test_the_preview_button_counts_what_is_ticked(ours: World, editor: Client) -> None:
    ours.contact(name="Ama Mensah", tags=["vip"])
    ours.contact(name="Kofi Boateng", tags=["staff"])

    page = text_of(editor.post(NEW, text_values(ours, tags=["vip"], show="preview")))

    assert "1 member For example Ama Mensah." in page


def test_the_preview_alone_for_scripts(
    ours: World, theirs: World, editor: Client
) -> None:
    ours.contact(name="Ama Mensah", country="GH")
    ours.contact(name="Kofi Boateng", country="NL")
    theirs.contact(name="Somebody Else", country="GH")

    response = editor.post(
        reverse("broadcasts:audience-preview"), {"more_countries": "gh"}
    )

    page = text_of(response)
    assert page.startswith("1 member For example Ama Mensah.")
    assert "<html" not in html_of(response)


def test_a_preview_of_nobody(ours: World, editor: Client) -> None:
    response = editor.post(reverse("broadcasts:audience-preview"), {"more_tags": "no"})

    assert "0 members Nobody fits this choice now." in text_of(response)


def test_a_large_audience_is_not_counted_to_its_end(
    ours: World, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadcasts.audience.COUNTED", 3)
    for _ in range(5):
        ours.contact()

    response = editor.post(reverse("broadcasts:audience-preview"))

    assert "3+ members" in text_of(response)


# Editing


def test_editing_shows_what_was_decided(ours: World, editor: Client) -> None:
    ours.contact(tags=["vip"])
    own = draft(
        ours,
        name="Renewal",
        audience=Audience(tags=("vip", "gold")),
        run_at=datetime(2030, 7, 1, 12),
        time_zone="Europe/Amsterdam",
    )

    form = editor.get(url_of("edit", own)).context["form"]

    assert form["name"].value() == "Renewal"
    assert form["tags"].value() == ["vip"]
    assert form["more_tags"].value() == "gold"
    assert form["run_at"].value() == datetime(2030, 7, 1, 12)
    assert form["time_zone"].value() == "Europe/Amsterdam"
    assert len(form.route_rows) == 2


def test_a_scheduled_broadcast_keeps_its_kind_and_its_state(
    ours: World, editor: Client
) -> None:
    own = scheduled(ours)
    page = editor.get(url_of("edit", own))
    assert "Write a text" not in text_of(page)
    assert "It is scheduled and stays so." in text_of(page)

    form = page.context["form"]
    posted = {name: form[name].value() for name in form.fields}
    posted = {
        name: value for name, value in posted.items() if value not in (None, [], "")
    }
    posted |= {"name": "New name", "run_at": tomorrow(), "action": "save"}
    response = editor.post(url_of("edit", own), posted)

    own.refresh_from_db()
    assert response.status_code == 302
    assert own.name == "New name"
    assert own.state == BroadcastState.SCHEDULED


def test_a_scheduled_broadcast_is_not_moved_into_the_past(
    ours: World, editor: Client
) -> None:
    own = scheduled(ours)
    form = editor.get(url_of("edit", own)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value}

    response = editor.post(
        url_of("edit", own),
        {**values, "run_at": "2020-01-01T10:00", "name": "", "action": "save"},
    )

    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name", "run_at"}
    assert "Choose a time at least 2 minutes ahead" in text_of(response)


def test_of_a_retry_only_name_time_and_ways_change(ours: World, editor: Client) -> None:
    own = retried(finished(ours, "failed"), ours)
    page = editor.get(url_of("edit", own))
    assert "Who gets it" not in text_of(page)
    assert "Its members and its content are fixed." in text_of(page)
    (way,) = specs_of(own, RouteRole.ROUTE)
    spare = ours.template("spare")

    editor.post(
        url_of("edit", own),
        {
            "name": "Second try",
            "run_at": tomorrow(),
            "time_zone": "UTC",
            "route_1_integration": way.integration_id,
            "route_1_template": way.content_id,
            "fallback_1_integration": way.integration_id,
            "fallback_1_template": spare.pk,
        },
    )

    own.refresh_from_db()
    assert own.name == "Second try"
    assert specs_of(own, RouteRole.FALLBACK) == (
        RouteSpec(way.integration_id, spare.pk),
    )


def test_a_retry_with_a_wrong_time_stays_as_it_was(ours: World, editor: Client) -> None:
    own = retried(finished(ours, "failed"), ours)

    response = editor.post(
        url_of("edit", own),
        {"name": "Second try", "run_at": "2020-01-01T10:00", "time_zone": "UTC"},
    )

    own.refresh_from_db()
    assert response.status_code == 422
    assert "Choose a time at least 2 minutes ahead" in text_of(response)
    assert own.name != "Second try"


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_runs_or_ran_is_not_edited(
    ours: World, editor: Client, method: str
) -> None:
    ours.contact()
    for own in (started(scheduled(ours)), finished(ours, "failed")):
        response = getattr(editor, method)(url_of("edit", own))

        assert response.status_code == 409
        assert "It cannot be changed any more" in text_of(response)


# Routes of what is finished


def test_fallbacks_of_a_finished_source_go_over_to_its_retry(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    retry = retried(own, ours)
    (way,) = specs_of(own, RouteRole.ROUTE)
    spare = ours.template("spare")

    response = editor.post(
        url_of("routes", own),
        {
            "route_1_integration": way.integration_id,
            "route_1_template": way.content_id,
            "fallback_1_integration": way.integration_id,
            "fallback_1_template": spare.pk,
        },
    )

    assert response["Location"] == url_of("detail", own)
    for one in (own, retry):
        assert specs_of(one, RouteRole.FALLBACK) == (
            RouteSpec(way.integration_id, spare.pk),
        )


def test_a_finished_source_needs_a_route(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")

    response = editor.post(url_of("routes", own), {"route_1_integration": ""})

    assert response.status_code == 422
    assert "Choose at least one route" in text_of(response)
    assert len(specs_of(own, RouteRole.ROUTE)) == 1


def test_of_routes_and_fallbacks_all_is_said_at_once(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    spare = ours.template("spare")

    response = editor.post(url_of("routes", own), {"fallback_1_template": spare.pk})

    assert set(response.context["form"].errors) == {
        "route_1_integration",
        "fallback_1_integration",
    }


def test_once_the_retry_has_started_they_stay(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")
    started(retried(own, ours))

    for response in (
        editor.get(url_of("routes", own)),
        editor.post(url_of("routes", own), {"route_1_integration": ""}),
    ):
        assert response.status_code == 409
        assert schedule.may_edit_routes(own).reason in text_of(response)


@pytest.mark.parametrize("field", ["run_at", "expires_at"])
@pytest.mark.parametrize("typed", ["9999-12-31T23:59", "1999-12-31T23:59"])
def test_a_year_that_nobody_means_is_refused_and_breaks_no_page(
    ours: World, editor: Client, field: str, typed: str
) -> None:
    """West of Greenwich the last minute of 9999 is a moment of the year 10000."""
    values = text_values(ours, time_zone="America/Los_Angeles", **{field: typed})

    response = editor.post(NEW, values)

    assert response.status_code == 422
    sentence = "Choose a date between the years 2000 and 2100."
    assert response.context["form"].errors[field] == [sentence]
    for address in ("/", "/broadcasts/"):
        assert editor.get(address).status_code == 200


def test_a_character_that_no_text_holds_is_left_out(
    ours: World, editor: Client
) -> None:
    ours.contact(name="Ama", tags=["vip"])
    preview = reverse("broadcasts:audience-preview")
    posted = {"tags": ["v\x00ip"], "countries": ["\x00"], "languages": ["\x00"]}

    page = editor.post(preview, posted)

    assert "1 member" in text_of(page)
    saved = editor.post(NEW, text_values(ours, tags=["v\x00ip"], action="draft"))
    assert saved.status_code in {302, 422}
