"""``POST /v1/whatsapp/send`` and ``GET /v1/whatsapp/status``."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.models import Contact, Content, Integration, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import SEND, STATUS, Caller, problem
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

TO = "233244000000"
LINK = "https://example.org/file"
BUTTONS = {
    "type": "button",
    "body": {"text": "Will you come?"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "no", "title": "No"}},
        ]
    },
}
LIST = {
    "type": "list",
    "body": {"text": "Which day?"},
    "action": {
        "button": "Days",
        "sections": [
            {
                "rows": [
                    {"id": "sat", "title": "Saturday", "description": "At noon"},
                    {"id": "sun", "title": "Sunday"},
                ]
            }
        ],
    },
}


def wish(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"to": TO, "type": kind, kind: content, **more}


def text(body: str = "Hello") -> dict[str, Any]:
    return wish("text", {"body": body})


def fields(response: Any) -> dict[str, str]:
    assert problem(response, 400)
    return {one["field"]: one["message"] for one in response.json()["errors"]}


def test_the_answer_names_the_message_and_the_providers_id(
    whatsapp: Integration, writer: Caller
) -> None:
    response = writer.post(SEND, text())

    assert response.status_code == 200
    body = response.json()
    message = Message.objects.get()
    attempt = message.attempts.get()
    assert body["message"] == "WhatsApp message sent successfully"
    timestamp = body["data"].pop("timestamp")
    assert timestamp == message.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert body["data"] == {
        "id": attempt.provider_id,
        "messageId": message.public_id,
        "status": "sent",
        "to": TO,
        "type": "text",
        "cost": 1,
    }
    assert (attempt.actor, attempt.actor_name) == ("api", writer.client.name)


@pytest.mark.parametrize(
    ("kind", "content", "payload"),
    [
        (
            "text",
            {"body": "Hi {{name}}", "preview_url": False},
            {"text": "Hi {{name}}"},
        ),
        (
            "image",
            {"link": LINK, "caption": "Sunday"},
            {"url": LINK, "caption": "Sunday"},
        ),
        ("video", {"link": LINK}, {"url": LINK}),
        ("audio", {"link": LINK}, {"url": LINK}),
        (
            "document",
            {"link": LINK, "filename": "a.pdf", "caption": "Bill"},
            {"url": LINK, "caption": "Bill", "filename": "a.pdf"},
        ),
        (
            "interactive",
            BUTTONS,
            {
                "body": "Will you come?",
                "buttons": [
                    {"id": "yes", "title": "Yes"},
                    {"id": "no", "title": "No"},
                ],
            },
        ),
        (
            "interactive",
            LIST,
            {
                "body": "Which day?",
                "list": {
                    "button": "Days",
                    "rows": [
                        {"id": "sat", "title": "Saturday", "description": "At noon"},
                        {"id": "sun", "title": "Sunday", "description": ""},
                    ],
                },
            },
        ),
    ],
)
def test_every_type_becomes_a_content_and_is_taken_by_the_provider(
    whatsapp: Integration,
    writer: Caller,
    sandbox: Sandbox,
    kind: str,
    content: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    response = writer.post(SEND, wish(kind, content))

    assert response.status_code == 200, response.content
    assert response.json()["data"]["status"] == "sent"
    made = Content.objects.get()
    assert (made.kind, made.payload) == (kind, payload)
    assert made.archived_at is not None
    [accepted] = sandbox.accepted()
    assert accepted.recipient.endswith(TO)


def template(*values: str, name: str = "renewal", code: str = "en") -> dict[str, Any]:
    parts = [{"type": "text", "text": value} for value in values]
    components = [{"type": "body", "parameters": parts}] if values else []
    return wish(
        "template",
        {"name": name, "language": {"code": code}, "components": components},
    )


def stored_template(world: World, places: list[str], body: str) -> Content:
    content = world.template(body=body)
    return Content.objects.create(
        organization=world.organization,
        kind="template",
        name="Renewal",
        payload={**content.payload, "parameters": places},
    )


def test_a_template_is_sent_as_it_is_stored(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    stored = stored_template(
        ours, ["{{first_name}}"], "Hello {{first_name}}, renew by Sunday."
    )

    response = writer.post(SEND, template("Ama {{name}}"))

    assert response.status_code == 200, response.content
    message = Message.objects.get()
    assert message.content_id == stored.pk
    assert message.parameters == {"first_name": "Ama {{name}}"}


def test_a_template_that_mixes_words_and_names_is_copied(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    stored = stored_template(ours, ["Dear {{name}}", "{{name}}"], "{{1}}: {{2}}")

    response = writer.post(SEND, template("one", "two"))

    assert response.status_code == 200, response.content
    content = Message.objects.get().content
    assert content is not None
    assert content.pk != stored.pk
    assert content.payload["parameters"] == ["one", "two"]
    assert content.archived_at is not None


@pytest.mark.parametrize(
    "asked", [template("a", name="other"), template("a", code="fr")]
)
def test_a_template_that_is_not_there_is_told(
    ours: World,
    theirs: World,
    whatsapp: Integration,
    writer: Caller,
    asked: dict[str, Any],
) -> None:
    stored_template(ours, ["{{name}}"], "Hello")
    theirs.template(name="other")

    assert problem(writer.post(SEND, asked), 400) == "template_not_found"


def test_a_template_takes_as_many_parameters_as_it_has(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    stored_template(ours, ["{{name}}"], "Hello")

    for asked in (template(), template("one", "two")):
        assert list(fields(writer.post(SEND, asked))) == ["template.components"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "text", "text": {"body": "x"}}, "to"),
        ({"to": TO, "text": {"body": "x"}}, "type"),
        ({"to": TO, "type": "fax", "fax": {}}, "type"),
        ({"to": TO, "type": "text"}, "text"),
        (wish("text", {"body": "x"}, image={"link": LINK}), "image"),
        (wish("text", {"text": "x"}), "text.body"),
        (wish("text", {"body": 5}), "text.body"),
        (wish("text", {"body": ""}), "text"),
        (wish("text", {"body": "x" * 4_097}), "text"),
        (wish("text", {"body": "x", "preview_url": True}), "text.preview_url"),
        (wish("text", {"body": "x", "colour": "red"}), "text.colour"),
        (wish("text", {"body": "x"}, priority=1), "priority"),
        (wish("image", {"link": "ftp://example.org/a.png"}), "image"),
        (wish("image", {"url": LINK}), "image.link"),
        (wish("image", {"link": LINK, "caption": "x" * 1_025}), "image"),
        (wish("audio", {"link": LINK, "caption": "x"}), "audio.caption"),
        (wish("document", {"link": "nowhere"}), "document"),
        (wish("interactive", {**BUTTONS, "type": "cta_url"}), "interactive.type"),
        (wish("interactive", {**BUTTONS, "type": "list"}), "interactive.action.button"),
        (wish("interactive", {**LIST, "type": "button"}), "interactive.action.buttons"),
        (wish("interactive", {**BUTTONS, "header": {}}), "interactive.header"),
        (wish("template", {"name": "renewal"}), "template.language"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    whatsapp: Integration, writer: Caller, body: dict[str, Any], field: str
) -> None:
    found = fields(writer.post(SEND, body))

    assert field in found
    assert all(sentence.endswith(".") for sentence in found.values())
    assert Message.objects.count() == Contact.objects.count() == 0


def test_more_buttons_than_the_provider_takes_are_refused(
    whatsapp: Integration, writer: Caller
) -> None:
    four = [
        {"type": "reply", "reply": {"id": str(number), "title": f"Day {number}"}}
        for number in range(4)
    ]
    content = {**BUTTONS, "action": {"buttons": four}}

    found = fields(writer.post(SEND, wish("interactive", content)))

    assert found == {"interactive": "WhatsApp Cloud API allows 3 buttons; there are 4."}


@pytest.mark.parametrize(
    "to", ["", "+", "abc", "0244000000", "12", "+233 24 400 0000", "٢٣٣٢٤٤٠٠٠٠٠٠"]
)
def test_a_number_has_its_country_code_and_digits_only(
    whatsapp: Integration, writer: Caller, to: str
) -> None:
    assert list(fields(writer.post(SEND, {**text(), "to": to}))) == ["to"]


def test_a_number_we_know_is_the_member_and_a_new_one_becomes_one(
    ours: World, theirs: World, whatsapp: Integration, writer: Caller
) -> None:
    known = ours.contact(phone=f"+{TO}")
    theirs.contact(phone="+233244000001")

    for to in (TO, f"+{TO}", "233244000001", "233244000001"):
        assert writer.post(SEND, {**text(), "to": to}).status_code == 200
        ours.rest()

    messages = Message.objects.order_by("pk")
    new = Contact.objects.get(organization=ours.organization, phone="+233244000001")
    assert [one.contact_id for one in messages] == [known.pk, known.pk, new.pk, new.pk]
    assert new.external_id == "+233244000001"


def test_whoever_opted_out_is_left_alone_whatever_the_name(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    ours.contact(phone=f"+{TO}")
    ours.contact(phone=f"+{TO}", opted_out_channels=["whatsapp"])

    assert problem(writer.post(SEND, text()), 400) == "opted_out"
    assert Message.objects.count() == 0


def test_without_an_integration_nothing_can_be_sent(
    theirs: World, writer: Caller
) -> None:
    theirs.integration()

    assert problem(writer.post(SEND, text()), 400) == "integration_off"


def test_what_fails_can_be_resent_by_the_id_of_the_answer(
    whatsapp: Integration, writer: Caller
) -> None:
    sent = writer.post(SEND, {**text(), "to": "233244000004"}).json()["data"]

    again = writer.post(f"/v1/whatsapp/resend/{sent['messageId']}").json()["data"]

    assert (sent["status"], sent["cost"]) == ("failed", 0)
    assert (again["status"], again["resendAttempt"]) == ("sent", 1)


def test_the_status_has_the_vendors_fields(
    failed: Fail, reader: Caller, writer: Caller
) -> None:
    message = failed("delivered")
    attempt = message.attempts.get()

    response = reader.get(f"{STATUS}/{message.public_id}")

    assert response.status_code == 200
    data = response.json()["data"]
    assert list(data) == [
        "messageId",
        "wamid",
        "status",
        "to",
        "type",
        "sentAt",
        "deliveredAt",
        "readAt",
        "cost",
    ]
    assert data["messageId"] == message.public_id
    assert (data["status"], data["type"], data["cost"]) == ("delivered", "text", 1)
    assert data["deliveredAt"].endswith("Z")
    assert data["readAt"] is None
    of_attempt = reader.get(f"{STATUS}/{attempt.public_id}").json()["data"]
    assert of_attempt["messageId"] == attempt.public_id
    assert of_attempt["status"] == "delivered"


def test_a_failure_says_why_and_what_to_do(failed: Fail, reader: Caller) -> None:
    message = failed(code="whatsapp:131047", error_class="fix_first")

    data = reader.get(f"{STATUS}/{message.public_id}").json()["data"]

    assert (data["status"], data["cost"]) == ("failed", 0)
    assert list(data["error"]) == ["code", "reason", "resolution"]
    assert data["error"]["code"] == "whatsapp:131047"


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        ("planned", "", "pending"),
        ("queued", "", "pending"),
        ("skipped", "opted_out", "failed"),
    ],
)
def test_what_has_not_left_is_in_the_vendors_words_too(
    ours: World,
    whatsapp: Integration,
    reader: Caller,
    state: str,
    reason: str,
    word: str,
) -> None:
    message = ours.message(state, integration=whatsapp, reason=reason)

    data = reader.get(f"{STATUS}/{message.public_id}").json()["data"]

    assert (data["status"], data["wamid"]) == (word, None)
    assert ("error" in data) == (word == "failed")


def test_statuses_of_others_are_not_found(failed: Fail, stranger: Caller) -> None:
    message = failed()

    for public_id in (message.public_id, message.attempts.get().public_id):
        response = stranger.get(f"{STATUS}/{public_id}")
        assert problem(response, 404) == "message_not_found"


def test_only_get_asks_and_only_post_sends(writer: Caller) -> None:
    assert problem(writer.post(f"{STATUS}/x", {}), 405) == "method_not_allowed"
    assert problem(writer.get(SEND), 405) == "method_not_allowed"
