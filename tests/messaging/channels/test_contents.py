"""Placeholders, previews and limits: the words of a content."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.channels import PROVIDERS
from messaging.channels.placeholders import render, template_text
from messaging.channels.preview import Part, parts
from tests.messaging.channels.samples import BUTTONS, CONTENTS, MENU, PARAMETERS


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("Hi {{first_name}}!", "Hi Ama!"),
        ("Hi {{ first_name }}!", "Hi Ama!"),
        ("{{nobody}} and {{name}}", "{{nobody}} and Ama Mensah"),
        (
            "{{name.__class__}} {{7*7}} {name} {{}} {{name",
            "{{name.__class__}} {{7*7}} {name} {{}} {{name",
        ),
        ("%s {0} $name", "%s {0} $name"),
    ],
)
def test_render(text: str, rendered: str) -> None:
    assert render(text, PARAMETERS) == rendered


def test_a_value_is_not_rendered_again() -> None:
    assert render("{{a}}", {"a": "{{b}}", "b": "no"}) == "{{b}}"


@given(text=st.text(), parameters=st.dictionaries(st.text(), st.text()))
def test_render_never_raises(text: str, parameters: dict[str, str]) -> None:
    assert isinstance(render(text, parameters), str)


def test_a_template_reads_as_the_person_reads_it() -> None:
    expected = "Hi Ama, your order c-17 is ready."
    assert template_text(CONTENTS["template"], PARAMETERS) == expected
    assert template_text({"body": "{{1}} {{name}}"}, {"name": "A"}) == "{{1}} A"


@pytest.mark.parametrize(
    ("kind", "payload", "part"),
    [
        ("text", {"text": "Hi", "subject": "S"}, Part("text", "Hi", subject="S")),
        (
            "document",
            CONTENTS["document"],
            Part(
                "document",
                "Your invoice",
                "https://cdn.example.com/a.pdf?x=1&y=2",
                "Invoice.pdf",
            ),
        ),
        (
            "interactive",
            BUTTONS,
            Part("interactive", "Shall we, Ama?", buttons=("Yes", "No")),
        ),
        (
            "interactive",
            MENU,
            Part("interactive", "Pick one", buttons=("Apple", "Banana")),
        ),
        (
            "template",
            CONTENTS["template"],
            Part("template", "Hi Ama, your order c-17 is ready."),
        ),
    ],
)
def test_what_the_person_saw(kind: str, payload: Any, part: Part) -> None:
    assert parts(kind, payload, PARAMETERS) == [part]


def test_a_flow_is_shown_step_by_step() -> None:
    steps = [{"kind": "text", "payload": {"text": name}} for name in ("a", "b")]
    shown = parts("flow", {"parts": [*steps, "odd", {"kind": "flow"}]})
    assert [part.text for part in shown] == ["a", "b"]


@given(
    kind=st.sampled_from(["text", "flow", "interactive", "template", "x"]),
    payload=st.dictionaries(
        st.sampled_from(["text", "body", "buttons", "list", "parts", "parameters"]),
        st.none() | st.integers() | st.text() | st.lists(st.none() | st.text()),
    ),
)
def test_odd_payloads_never_raise(kind: str, payload: dict[str, Any]) -> None:
    parts(kind, payload)
    for provider in PROVIDERS.values():
        for sentence in provider.refusals(kind, payload):
            assert sentence.endswith(".")


@pytest.mark.parametrize("kind", list(CONTENTS))
@pytest.mark.parametrize("name", list(PROVIDERS))
def test_ordinary_contents_travel_everywhere(name: str, kind: str) -> None:
    assert PROVIDERS[name].refusals(kind, CONTENTS[kind]) == []


@pytest.mark.parametrize(
    ("name", "kind", "payload", "sentences"),
    [
        ("whatsapp_cloud", "text", {"text": " "}, ["The text is empty."]),
        (
            "whatsapp_cloud",
            "text",
            {"text": "x" * 4097},
            ["The text has 4,097 characters; 4,096 are allowed."],
        ),
        (
            "twilio",
            "text",
            {"text": "x" * 1601},
            ["The text has 1,601 characters; 1,600 are allowed."],
        ),
        (
            "telegram_bot",
            "image",
            {"url": "https://x.example/a.jpg", "caption": "x" * 1025},
            ["The caption has 1,025 characters; 1,024 are allowed."],
        ),
        (
            "whatsapp_cloud",
            "image",
            {"url": "file:///etc/passwd"},
            [
                "The media address must start with http:// or https:// "
                "and name a server."
            ],
        ),
        (
            "whatsapp_cloud",
            "interactive",
            {
                "body": "Pick",
                "buttons": [{"id": str(n), "title": "x" * 21} for n in range(4)],
            },
            [
                "WhatsApp Cloud API allows 3 buttons; there are 4.",
                *(
                    f"The title of button {n} has 21 characters; 20 are allowed."
                    for n in range(1, 5)
                ),
            ],
        ),
        (
            "whatsapp_cloud",
            "interactive",
            {
                "body": "Pick",
                "list": {
                    "button": "Go",
                    "rows": [{"id": "same", "title": "x"} for n in range(11)],
                },
            },
            [
                "WhatsApp Cloud API allows 10 list rows; there are 11.",
                "Every list row needs an id of its own.",
            ],
        ),
        (
            "twilio",
            "interactive",
            BUTTONS,
            ["Twilio SMS cannot carry buttons or lists."],
        ),
        ("smtp", "interactive", MENU, ["E-mail cannot carry buttons or lists."]),
        (
            "smtp",
            "pigeon",
            {},
            ["E-mail cannot carry content of kind “pigeon”."],
        ),
        (
            "smtp",
            "flow",
            {
                "parts": [
                    {"kind": "text", "payload": {"text": "Hi"}},
                    {"kind": "interactive", "payload": {}},
                    {"kind": "flow", "payload": {}},
                ]
            },
            [
                "Part 2: E-mail cannot carry buttons or lists.",
                "Part 3: a flow cannot contain another flow.",
            ],
        ),
        ("smtp", "flow", {"parts": []}, ["The flow has no parts."]),
    ],
)
def test_refusals_say_why(
    name: str, kind: str, payload: Any, sentences: list[str]
) -> None:
    assert PROVIDERS[name].refusals(kind, payload) == sentences


@pytest.mark.parametrize("payload", [BUTTONS, MENU])
@pytest.mark.parametrize("name", ["whatsapp_cloud", "telegram_bot"])
def test_choices_travel_where_they_can(name: str, payload: Any) -> None:
    assert PROVIDERS[name].refusals("interactive", payload) == []
