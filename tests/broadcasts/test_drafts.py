"""Drafts: checked, copied, thrown away."""

from __future__ import annotations

import pytest
from django.utils import timezone

from broadcasts import drafts
from broadcasts.audience import Audience
from broadcasts.fields import BroadcastFields, fields_of
from broadcasts.models import Broadcast
from broadcasts.problems import ProblemCode
from tests.broadcasts.factories import (
    SOON,
    draft,
    finished,
    flow_fields,
    published_flow,
    refusal,
    retried,
    route,
    rows_of,
)
from tests.factories import World

AMSTERDAM = "Europe/Amsterdam"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"kind": "carrier pigeon"}, "kind"),
        ({"kind": "flow"}, "flow"),
        ({"time_zone": "Nowhere"}, "time_zone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    ours: World, values: dict[str, object], field: str
) -> None:
    problem = refusal(lambda: draft(ours, **values))

    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, field)


@pytest.mark.django_db
def test_routes_name_templates_and_flows_name_none(ours: World) -> None:
    whatsapp, text, template = ours.integration(), ours.text(), ours.template()
    flow = published_flow(ours)

    def of_flow(**values: object) -> object:
        return drafts.create_draft(
            organization=ours.organization,
            person=ours.editor,
            fields=flow_fields(ours, flow, **values),
        )

    for call, field in (
        (lambda: draft(ours, routes=[route(whatsapp)]), "routes"),
        (lambda: draft(ours, routes=[route(whatsapp, text)]), "routes"),
        (lambda: draft(ours, fallbacks=[route(whatsapp)]), "fallbacks"),
        (lambda: of_flow(routes=[route(whatsapp, template)]), "routes"),
        (lambda: of_flow(fallbacks=[route(whatsapp, text)]), "fallbacks"),
    ):
        assert refusal(call).field == field
    assert of_flow(fallbacks=[route(whatsapp, template)])


@pytest.mark.django_db
def test_a_clone_is_a_draft_of_the_same(ours: World) -> None:
    source = finished(ours, "delivered", "failed")
    retry = retried(source, ours)

    for original in (source, retry):
        copy = drafts.clone(broadcast=original, person=ours.editor)

        assert copy.name == f"Copy of {original.name}"
        assert (copy.state, copy.retry_of, copy.root) == ("draft", None, None)
        assert fields_of(copy).routes == fields_of(source).routes
        assert copy.audience == source.audience
        assert not rows_of(copy).exists()


@pytest.mark.django_db
def test_drafts_are_deleted(ours: World) -> None:
    broadcast = draft(ours)

    drafts.delete_draft(broadcast=broadcast, person=ours.editor)

    assert not Broadcast.objects.filter(pk=broadcast.pk).exists()


@pytest.mark.django_db
def test_fields_survive_the_way_there_and_back(ours: World) -> None:
    fields = BroadcastFields(
        name="Renewal",
        kind="template",
        routes=(route(ours.integration(), ours.template()),),
        fallbacks=(route(ours.integration("twilio"), ours.template("second")),),
        audience=Audience(tags=("vip",)),
        run_at=timezone.now() + SOON,
        time_zone=AMSTERDAM,
    )
    made = drafts.create_draft(
        organization=ours.organization, person=ours.editor, fields=fields
    )

    assert fields_of(made) == fields
