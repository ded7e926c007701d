"""A member's communication on the page, and what of a message is shown at all."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Contact, Content, CreditAccount, Integration, Message
from tests.factories import World
from tests.messaging.views.rows import attempt, tried
from tests.messaging.views.test_message_detail import page, source, words

pytestmark = pytest.mark.django_db


def markup(client: Client, member: Contact) -> str:
    response = client.get(f"/members/{member.pk}/")
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def cell(text: str, message: Message) -> str:
    """Return the line of one message."""
    rows = re.findall(r'<tr role="row">.*?</tr>', text, re.DOTALL)
    found: str = next(row for row in rows if message.public_id in row)
    return found


def test_every_line_says_all_of_it(ours: World, editor: Client) -> None:
    member = ours.contact(email="greta@example.org")
    broadcast = ours.broadcast(name="Renewal")
    message = tried(
        ours,
        "delivered",
        attempts=3,
        contact=member,
        integration=ours.integration("smtp"),
        broadcast_id=broadcast.pk,
    )

    line = words(cell(markup(editor, member), message))

    for word in (
        "Hello Ama",
        "Renewal",
        message.public_id,
        "E-mail",
        "greta@example.org",
        "Delivered",
        "Reached on the third try",
        "Sent just now",
        "Delivered just now",
        "Send a copy…",
    ):
        assert word in line


def test_the_sentence_can_be_copied_and_selected(ours: World, agent: Client) -> None:
    message = tried(ours, "failed")

    line = cell(markup(agent, message.contact), message)

    sentence = "Not reached: WhatsApp had a fault (1 try)."
    assert f'data-copy="{sentence}"' in line
    assert f">{sentence}</span>" in line


def test_resend_is_there_off_with_its_reason_or_not_at_all(
    ours: World, editor: Client, agent: Client
) -> None:
    member = ours.contact()
    failed = tried(ours, "failed", contact=member)
    never = tried(
        ours,
        "failed",
        contact=member,
        error_code="whatsapp:131026",
        error_class="never",
    )
    worn_out = tried(ours, "failed", attempts=6, contact=member)
    sent = tried(ours, "sent", contact=member)

    text = markup(editor, member)

    assert f'href="/messages/{failed.pk}/resend/"' in cell(text, failed)
    assert 'aria-disabled="true"' in cell(text, never)
    assert "Sending it again does not help." in cell(text, never)
    assert "can be sent again 5 times at most" in cell(text, worn_out)
    assert "may still deliver it" in cell(text, sent)
    assert "Send again…" not in cell(text, sent)
    assert "Send again…" not in markup(agent, member)


def test_each_line_is_judged_by_its_own_facts(ours: World, editor: Client) -> None:
    member = ours.contact(opted_out_channels=["sms"])
    free = ours.integration(credit_price=0)
    dear = ours.integration(credit_price=5)
    off = ours.integration(state="off")
    texts = ours.integration("twilio")
    runs = [ours.broadcast(), ours.broadcast()]
    first = tried(
        ours, "failed", contact=member, integration=free, broadcast_id=runs[0].pk
    )
    tried(
        ours,
        "delivered",
        contact=member,
        integration=free,
        broadcast_id=runs[1].pk,
        root=first,
    )
    expected = {
        tried(ours, "failed", contact=member, integration=free): "/resend/",
        tried(ours, "failed", contact=member, integration=dear): "not enough credits",
        tried(ours, "failed", contact=member, integration=off): "switched off",
        tried(ours, "failed", contact=member, integration=texts): "opted out",
        first: "Another run of the broadcast",
    }

    CreditAccount.objects.update(available=1)

    text = markup(editor, member)

    for message, word in expected.items():
        assert word in cell(text, message)


def test_only_an_email_has_a_subject(ours: World, agent: Client) -> None:
    member = ours.contact(email="greta@example.org")
    letter = Content.objects.create(
        organization=ours.organization,
        kind="text",
        payload={"subject": "Your invoice", "text": "Please find it attached."},
    )

    def shown(kind: str) -> str:
        integration = ours.integration(kind)
        message = tried(
            ours, "delivered", contact=member, content=letter, integration=integration
        )
        return source(agent, message)

    assert "<strong>Your invoice</strong>" in shown("smtp")
    for kind in ("whatsapp_cloud", "twilio"):
        text = shown(kind)
        assert "Your invoice" not in text
        assert "Please find it attached." in text


@pytest.mark.parametrize("category", ["AUTHENTICATION", "utility"])
def test_a_code_is_hidden_wherever_its_message_is_shown(
    ours: World, agent: Client, category: str
) -> None:
    body = "{{name}} is your code" if category == "utility" else "{{name}} for you"
    template = Content.objects.create(
        organization=ours.organization,
        kind="template",
        payload={"name": "code", "category": category, "body": body, "parameters": []},
    )
    message = tried(
        ours,
        "delivered",
        content=template,
        parameters={"name": "482913"},
        answer='{"code": 131047, "text": "482913 is your code"}',
    )

    for text in (source(agent, message), markup(agent, message.contact)):
        assert "482913" not in text
        assert "••••••" in text
    assert "131047" in page(agent, message)


def test_the_code_of_other_content_is_hidden_too(ours: World, agent: Client) -> None:
    message = tried(ours, "failed", attempts=2)
    other = ours.text("Your PIN is 4711.")
    message.attempts.filter(number=2).update(
        content=other, answer='{"text": "Your PIN is 4711."}'
    )

    text = source(agent, message)

    assert "4711" not in text
    assert "Your PIN is ••••." in text


def test_an_amended_message_shows_both(ours: World, agent: Client) -> None:
    old, new = (
        Content.objects.create(
            organization=ours.organization,
            kind="image",
            payload={"url": f"https://example.org/{name}.jpg"},
        )
        for name in ("old", "new")
    )
    whatsapp: Integration = ours.integration()
    message = tried(ours, "failed", content=old, integration=whatsapp)

    assert "Original" not in page(agent, message)
    Message.objects.filter(pk=message.pk).update(
        amended_content=new, state="queued", due_at=timezone.now()
    )
    waiting = page(agent, message)
    assert "Original" in waiting
    assert "With the next attempt" in waiting
    message.content = new
    attempt(message, 2, "failed", error_code="whatsapp:131000", error_class="retry")
    text = source(agent, message)
    assert "Instead, from attempt 2 on" in text
    assert "https://example.org/old.jpg" in text
    assert "https://example.org/new.jpg" in text
