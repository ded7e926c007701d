"""The communication tab inside another product: what the token opens, and no more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging import embed, resend
from messaging.dispatch import pace
from messaging.embed import Access
from messaging.models import Contact, FollowUp, Integration, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.test_resend import failed
from tests.messaging.views.conftest import LogIn
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db

DESK = "https://desk.example.org"


@pytest.fixture(autouse=True)
def desk(settings: Settings) -> None:
    settings.EMBED_ANCESTORS = [DESK]


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


@pytest.fixture
def visitor(db: None) -> Client:
    """A browser of the other product, which checks forged forms like a real one."""
    return Client(enforce_csrf_checks=True)


def token(world: World, member: Contact, access: str = "write", **values: Any) -> str:
    values = {"person": "Ama Owusu", "host": "CareDesk", **values}
    return embed.make_token(
        world.organization, member.external_id, access=Access(access), **values
    )


def tab(member: Contact) -> str:
    return reverse("messaging:embedded-communications", args=[member.external_id])


def resending(message: Message) -> str:
    member = message.contact.external_id
    return reverse("messaging:embedded-resend", args=[member, message.pk])


def send_again(client: Client, message: Message, key: str, **posted: Any) -> Any:
    values = {
        "token": key,
        "when": "now",
        "shown_attempts": message.attempt_count,
        **posted,
    }
    return client.post(resending(message), values)


def test_the_tab_shows_every_communication(ours: World, visitor: Client) -> None:
    member = ours.contact(name="Greta Petrov", email="greta@example.org")
    mail = ours.integration("smtp")
    broadcast = ours.broadcast(name="Renewal")
    tried(ours, "delivered", attempts=3, contact=member, broadcast_id=broadcast.pk)
    tried(ours, "sent", contact=member, integration=mail)
    tried(ours, "failed")

    answer = visitor.get(tab(member), {"token": token(ours, member, "read")})

    assert answer.status_code == 200
    text = words(answer.content.decode())
    assert "Communication with Greta Petrov" in text
    assert "Renewal" in text
    assert "greta@example.org" in text
    assert "Reached on the third try" in text
    assert text.count("ra_") == 2
    assert "Send again…" not in text
    assert "Times in UTC. Links open in a new tab." in text


def test_only_the_products_of_the_settings_may_show_it(
    ours: World, visitor: Client, agent: Client
) -> None:
    member = ours.contact()

    answer = visitor.get(tab(member), {"token": token(ours, member)})

    policy = answer["Content-Security-Policy"]
    assert f"frame-ancestors {DESK}" in policy
    assert "default-src 'none'" in policy
    assert "X-Frame-Options" not in answer
    for other in (agent.get("/members/"), agent.get(f"/members/{member.pk}/")):
        assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
        assert other["X-Frame-Options"] == "DENY"


def test_without_a_setting_nobody_may_show_it(
    ours: World, visitor: Client, settings: Settings
) -> None:
    settings.EMBED_ANCESTORS = []
    member = ours.contact()

    answer = visitor.get(tab(member), {"token": token(ours, member)})

    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_there_are_no_cookies_and_no_traces(
    ours: World, whatsapp: Integration, visitor: Client
) -> None:
    message = failed(ours, whatsapp)
    key = token(ours, message.contact)

    answers = [
        visitor.get(tab(message.contact), {"token": key}),
        visitor.get(resending(message), {"token": key}),
        send_again(visitor, message, key, when="never"),
        send_again(visitor, message, key),
        visitor.get(tab(message.contact), {"token": "x"}),
    ]

    assert [one.status_code for one in answers] == [200, 200, 422, 303, 403]
    for one in answers:
        assert not one.cookies
        assert "Set-Cookie" not in one
        assert one["Referrer-Policy"] == "no-referrer"
        assert one["Cache-Control"] == "no-store"
        assert "csrf" not in one.content.decode()


def test_a_session_opens_nothing(ours: World, log_in: LogIn) -> None:
    member = ours.contact()
    signed_in = log_in(ours.admin)

    assert signed_in.get(tab(member)).status_code == 403
    assert signed_in.get(tab(member), {"token": "x"}).status_code == 403


def test_what_does_not_open_says_nothing(
    ours: World, theirs: World, visitor: Client
) -> None:
    member, other = ours.contact(), ours.contact()
    foreign = theirs.contact(external_id="Theirs-1", name="Secret Person")
    tried(theirs, "failed", contact=foreign)
    tried(ours, "failed", contact=member)
    cases = [
        (member, "", 403),
        (member, "forged", 403),
        (member, token(ours, other), 403),
        (foreign, token(ours, member), 403),
        # The right member by name, of the wrong organization.
        (foreign, token(ours, foreign), 404),
    ]

    for asked, key, status in cases:
        answer = visitor.get(tab(asked), {"token": key})
        text = words(answer.content.decode())
        assert answer.status_code == status
        assert "Nothing to show here" in text
        assert "ra_" not in text
        assert "Secret Person" not in text
        assert "Theirs" not in text


def test_an_expired_token_asks_to_reload(
    ours: World, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = ours.contact()
    key = token(ours, member)
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    answer = visitor.get(tab(member), {"token": key})

    assert answer.status_code == 403
    assert "This view has expired" in words(answer.content.decode())


def test_the_tab_is_paged_and_keeps_its_token(ours: World, visitor: Client) -> None:
    member = ours.contact()
    made = [tried(ours, "delivered", contact=member).pk for _ in range(27)]
    first = visitor.get(tab(member), {"token": token(ours, member, "read")})
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert older is not None

    second = visitor.get(tab(member) + older[1].replace("&amp;", "&"))

    found = re.findall(
        r"ra_whatsapp_(\d+)_\w+</code>",
        (first.content.decode() + second.content.decode()),
    )
    assert [int(number) for number in found] == list(reversed(made))


def test_links_leave_the_frame_and_say_so(ours: World, visitor: Client) -> None:
    member = ours.contact()
    tried(ours, "delivered", contact=member)

    markup = visitor.get(tab(member), {"token": token(ours, member)}).content.decode()

    links = re.findall(r"<a ([^>]*)>", markup)
    assert len(links) == 2
    for link in links:
        assert 'target="_blank" rel="noopener noreferrer"' in link
    assert 'aria-label="opens in a new tab"' in markup or (
        "opens in a new tab" in markup
    )


def test_sending_again_inside_the_frame(
    ours: World, whatsapp: Integration, visitor: Client
) -> None:
    message = failed(ours, whatsapp)
    key = token(ours, message.contact)
    page = visitor.get(tab(message.contact), {"token": key}).content.decode()
    link = re.search(r'href="([^"]+/resend/\?token=[^"]+)"', page)
    assert link is not None
    asked = visitor.get(link[1].replace("&amp;", "&"))
    assert "Send this message again" in words(asked.content.decode())
    assert "WhatsApp had a fault" in words(asked.content.decode())

    done = send_again(visitor, message, key, reason="She called")

    assert done.status_code == 303
    text = words(visitor.get(done["Location"]).content.decode())
    assert "Sent again. WhatsApp accepted it." in text
    attempt = message.attempts.get(number=2)
    assert attempt.actor == "person"
    assert attempt.actor_name == "Ama Owusu in CareDesk"
    assert attempt.reason == "She called"


def test_a_template_goes_first_inside_the_frame_too(
    ours: World, whatsapp: Integration, visitor: Client
) -> None:
    template = ours.template("come_back")
    message = failed(ours, whatsapp, code="whatsapp:131047", error_class="fix_first")
    key = token(ours, message.contact)

    done = send_again(visitor, message, key, template=template.pk)

    text = words(visitor.get(done["Location"]).content.decode())
    assert "The message follows as soon as the member answers." in text
    assert FollowUp.objects.get().asked_by_name == "Ama Owusu in CareDesk"


def test_refusals_are_told_inside_the_frame(
    ours: World, whatsapp: Integration, visitor: Client
) -> None:
    message = failed(ours, whatsapp)
    key = token(ours, message.contact)
    Message.objects.update(state="sending")

    taken = send_again(visitor, message, key)

    assert taken.status_code == 409
    assert "being sent right now" in words(taken.content.decode())


def test_times_are_the_organizations(
    ours: World, whatsapp: Integration, visitor: Client
) -> None:
    ours.organization.time_zone = "Europe/Amsterdam"
    ours.organization.save()
    message = failed(ours, whatsapp)
    key = token(ours, message.contact)
    at = timezone.now() + timedelta(hours=5)
    local = at.astimezone(ours.organization.zone)

    refused = send_again(visitor, message, key, when="later", at="2027-03-28T02:30")
    assert "does not exist in Europe/Amsterdam" in refused.content.decode()
    done = send_again(visitor, message, key, when="later", at=f"{local:%Y-%m-%dT%H:%M}")

    text = words(visitor.get(done["Location"]).content.decode())
    assert f"{local:%H:%M} (Europe/Amsterdam)" in text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_token_to_read_cannot_send(
    ours: World, whatsapp: Integration, visitor: Client, method: str
) -> None:
    message = failed(ours, whatsapp)
    values = {
        "token": token(ours, message.contact, "read"),
        "when": "now",
        "shown_attempts": 1,
    }

    answer = getattr(visitor, method)(resending(message), values)

    assert answer.status_code == 403
    assert "only shows messages" in words(answer.content.decode())
    assert resend.fresh(message.pk).state == "failed"


def test_only_messages_of_the_member_are_sent(
    ours: World, theirs: World, whatsapp: Integration, visitor: Client
) -> None:
    message, other = failed(ours, whatsapp), failed(ours, whatsapp)
    foreign = tried(theirs, "failed")
    key = token(ours, message.contact)

    for pk in (other.pk, foreign.pk, 2**70):
        address = reverse(
            "messaging:embedded-resend", args=[message.contact.external_id, pk]
        )
        values = {"token": key, "when": "now", "shown_attempts": 1}
        assert visitor.post(address, values).status_code == 404
    assert Message.objects.filter(attempt_count=1).count() == 3
    said = visitor.get(
        tab(message.contact), {"token": key, "resent": str(other.pk)}
    ).content.decode()
    assert "banner" not in said


def test_codes_stay_hidden(ours: World, visitor: Client) -> None:
    member = ours.contact()
    code = ours.text("Your login code is 482913.")
    tried(ours, "delivered", contact=member, content=code)

    text = visitor.get(tab(member), {"token": token(ours, member)}).content.decode()

    assert "482913" not in text
    assert "Your login code is ••••••." in text


def test_the_cost_does_not_grow(ours: World, visitor: Client) -> None:
    member = ours.contact()
    key = token(ours, member)

    def cost(messages: int) -> int:
        for _ in range(messages):
            tried(ours, "failed", contact=member, broadcast_id=ours.broadcast().pk)
        with CaptureQueriesContext(connection) as queries:
            visitor.get(tab(member), {"token": key})
        assert not [one for one in queries if "COUNT(" in one["sql"].upper()]
        return len(queries)

    cost(1)
    assert cost(2) == cost(20) <= 12
