"""Sending one message again from its page: what is asked, refused, and said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging import follow_up, resend
from messaging.dispatch import circuit, pace
from messaging.dispatch.claim import claim
from messaging.models import Actor, Content, FollowUp, Integration, Message
from messaging.resend import Asker, Wish
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.test_media import shelf  # noqa: F401 - a fixture
from tests.messaging.test_resend import failed
from tests.messaging.views.conftest import LogIn
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}
WINDOW = {"code": "whatsapp:131047", "error_class": "fix_first"}
MEDIA = {"code": "whatsapp:131052", "error_class": "fix_first"}
KOFI = Asker(Actor.PERSON, "Kofi Mensah")


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


def address(message: Message, name: str = "message-resend") -> str:
    return reverse(f"messaging:{name}", kwargs={"pk": message.pk})


def shown(client: Client, message: Message, name: str = "message-resend") -> str:
    response = client.get(address(message, name))
    assert response.status_code == 200
    return words(response.content.decode())


def confirm(
    client: Client, message: Message, name: str = "message-resend", **posted: Any
) -> Any:
    values = {"when": "now", "shown_attempts": message.attempt_count, **posted}
    return client.post(address(message, name), values)


def told(client: Client, response: Any) -> str:
    """Follow the answer to the page of the message, and return what it says."""
    assert response.status_code == 302
    return words(client.get(response["Location"]).content.decode())


def in_zone(moment: datetime) -> str:
    return moment.astimezone(AMSTERDAM).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def here(ours: World, editor: Client) -> Client:
    """The editor, who lives in Amsterdam."""
    ours.editor.first_name, ours.editor.last_name = "Kofi", "Mensah"
    ours.editor.time_zone = "Europe/Amsterdam"
    ours.editor.save()
    return editor


def test_now_answers_with_the_providers_word(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)

    text = told(here, confirm(here, message, reason="  She  called us "))

    assert "Sent again. WhatsApp accepted it." in text
    assert "Attempt 2: sent" in text
    assert "By Kofi Mensah · “She called us”" in text
    assert "Attempt 1: failed" in text


def test_another_failure_is_told_in_words(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, contact=ours.contact("0002"))

    text = told(here, confirm(here, message))

    assert "It failed again: Person cannot be reached on WhatsApp." in text


def test_the_dialog_goes_to_the_page_when_it_is_done(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    values = {"when": "now", "shown_attempts": 1}

    asked = here.get(address(message), headers=IN_DIALOG).content.decode()
    done = here.post(address(message), values, headers=IN_DIALOG)

    assert "<html" not in asked
    assert "csrfmiddlewaretoken" in asked
    assert done["HX-Redirect"] == f"/messages/{message.pk}/"


def test_the_dialog_says_what_failed_and_how_often_it_was_sent(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)

    text = shown(here, message)

    assert "WhatsApp had a fault" in text
    assert "Likely" in text
    assert "Sent again Not yet" in text
    assert message.recipient in text


def test_later_waits_and_can_be_moved_and_cancelled(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    at = timezone.now() + timedelta(hours=5)

    text = told(here, confirm(here, message, when="later", at=in_zone(at)))

    local = at.astimezone(AMSTERDAM)
    in_words = f"{local.day} {local:%b} at {local:%H:%M} (Europe/Amsterdam)"
    assert f"It will be sent again on {in_words}." in text
    assert "Attempt 2 is planned" in text
    assert "Move…" in text
    assert in_words in shown(here, message, "message-move")

    at += timedelta(hours=2)
    moved = told(here, confirm(here, message, "message-move", at=in_zone(at)))
    assert f"{at.astimezone(AMSTERDAM):%H:%M}" in moved
    back = told(here, confirm(here, message, "message-take-back"))
    assert "The resend was cancelled." in back
    assert "Move…" not in back
    assert resend.fresh(message.pk).state == "failed"


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [(-1, "still to come"), (60, "older than 48 hours by then")],
)
@pytest.mark.parametrize("name", ["message-resend", "message-move"])
def test_a_time_that_makes_no_sense_is_refused_beside_its_field(
    ours: World,
    whatsapp: Integration,
    here: Client,
    name: str,
    hours: int,
    sentence: str,
) -> None:
    message = failed(ours, whatsapp)
    if name == "message-move":
        later = timezone.now() + timedelta(hours=1)
        resend.resend(message, KOFI, Wish(at=later))
    at = in_zone(timezone.now() + timedelta(hours=hours))

    response = confirm(here, message, name, when="later", at=at)

    assert response.status_code == 422
    markup = response.content.decode()
    assert sentence in markup
    assert 'aria-invalid="true"' in markup
    assert f'value="{at}"' in markup


@pytest.mark.parametrize("name", ["message-resend", "message-move"])
def test_a_time_that_makes_no_sense_names_the_first_and_the_last_that_do(
    ours: World, whatsapp: Integration, here: Client, name: str
) -> None:
    message = failed(ours, whatsapp)
    if name == "message-move":
        later = timezone.now() + timedelta(hours=1)
        resend.resend(message, KOFI, Wish(at=later))
    now = timezone.now()

    past = confirm(here, message, name, when="later", at=in_zone(now - HOUR))
    late = confirm(here, message, name, when="later", at=in_zone(now + 60 * HOUR))

    soon = {(now + timedelta(minutes=ahead)).astimezone(AMSTERDAM) for ahead in (1, 2)}
    named = [f"still to come: {one.day} {one:%b at %H:%M}" for one in soon]
    assert any(one in past.content.decode() for one in named)
    last = (message.created_at + 48 * HOUR).astimezone(AMSTERDAM)
    assert f"{last.day} {last:%b at %H:%M} (Europe/Amsterdam) at the latest" in (
        late.content.decode()
    )
    for chosen in (now + timedelta(minutes=2), last):
        moved = confirm(here, message, name, when="later", at=in_zone(chosen))
        assert moved.status_code == 302
        if name == "message-resend":
            resend.cancel(message, KOFI)


def test_no_time_is_named_where_none_is_left(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    resend.resend(message, KOFI, Wish(at=timezone.now() + HOUR))
    Message.objects.filter(pk=message.pk).update(
        created_at=timezone.now() - timedelta(hours=50)
    )

    at = in_zone(timezone.now() + HOUR)
    refused = confirm(here, message, "message-move", at=at)

    assert refused.status_code == 422
    assert "so no other time is left. Keep the one it has" in refused.content.decode()


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("2027-03-28T02:30", "does not exist in Europe/Amsterdam"),
        ("2027-10-31T02:30", "comes twice in Europe/Amsterdam"),
        ("", "Enter a date and time, for example"),
        ("soon", "Enter a date and time, for example"),
    ],
)
def test_a_time_that_the_clocks_do_not_show_is_explained(
    ours: World, whatsapp: Integration, here: Client, at: str, sentence: str
) -> None:
    message = failed(ours, whatsapp)

    response = confirm(here, message, when="later", at=at)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert resend.fresh(message.pk).state == "failed"


def test_a_time_that_is_not_asked_about_says_nothing(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)

    assert "Sent again." in told(here, confirm(here, message, at="2027-03-28T02:30"))


def test_a_provider_that_wants_rest_is_told_before(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:131049", error_class="wait")

    assert "As soon as it may:" in shown(here, message)
    early = in_zone(timezone.now() + timedelta(hours=2))
    refused = confirm(here, message, when="later", at=early)
    assert refused.status_code == 422
    assert "the provider wants at least" in refused.content.decode()
    assert "It will be sent again on" in told(here, confirm(here, message))


def test_whoever_comes_second_is_told_so(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    Message.objects.filter(pk=message.pk).update(state="sending")

    response = confirm(here, message)

    assert response.status_code == 409
    assert "This message is being sent right now." in response.content.decode()


def test_a_try_that_was_not_shown_is_not_repeated(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, contact=ours.contact("0002"))
    Message.objects.filter(pk=message.pk).update(error_code="whatsapp:131000")
    resend.resend(resend.fresh(message.pk), KOFI)
    Message.objects.filter(pk=message.pk).update(error_code="whatsapp:131000")

    response = confirm(here, message)

    assert response.status_code == 409
    assert "Somebody sent this message again" in response.content.decode()
    assert message.attempts.count() == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"attempt_count": 6}, "can be sent again 5 times at most"),
        ({"state": "sent", "sent_at": "now"}, "may still deliver it"),
        ({"error_code": "whatsapp:131026", "error_class": "never"}, "WhatsApp"),
        ({"created_at": "old"}, "older than 48 hours"),
    ],
)
def test_the_button_is_off_with_its_reason(
    ours: World,
    whatsapp: Integration,
    here: Client,
    change: dict[str, Any],
    sentence: str,
) -> None:
    message = failed(ours, whatsapp)
    moments = {"now": timezone.now(), "old": timezone.now() - timedelta(hours=50)}
    values = {name: moments.get(str(value), value) for name, value in change.items()}
    Message.objects.filter(pk=message.pk).update(**values)

    page = here.get(f"/messages/{message.pk}/").content.decode()
    refused = confirm(here, resend.fresh(message.pk))

    button = re.search(r'<button[^>]*id="send-again".*?</button>\s*<p.*?</p>', page)
    assert button is not None
    assert 'aria-disabled="true"' in button[0]
    assert sentence in words(button[0])
    assert refused.status_code == 409
    assert sentence in words(refused.content.decode())


def test_missing_credits_name_who_can_help(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(
        ours,
        whatsapp,
        code="resend_admin:insufficient_credits",
        error_class="fix_first",
    )
    Integration.objects.update(credit_price=32_000)
    for _ in range(31):
        ours.message(integration=whatsapp)
    claim(whatsapp, limit=40)

    text = words(here.get(f"/messages/{message.pk}/").content.decode())

    assert "There are not enough credits: this message costs 32000." in text
    assert "Ask whoever runs this server to top up" in text


def test_unknown_needs_a_tick(ours: World, whatsapp: Integration, here: Client) -> None:
    message = failed(
        ours, whatsapp, state="unknown", code="whatsapp:timeout", error_class="unknown"
    )

    refused = confirm(here, message)
    assert refused.status_code == 422
    assert "Tick this if a second copy does no harm." in refused.content.decode()
    assert "may get it twice" in shown(here, message)
    sent = told(here, confirm(here, message, accepts_duplicate="on"))
    assert "Sent again. WhatsApp accepted it." in sent


def test_an_error_that_somebody_has_to_fix_asks_whether_they_did(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(
        ours, whatsapp, code="whatsapp:auth_failed", error_class="fix_first"
    )
    # Refused credentials paused it; somebody has resumed it since.
    circuit.close_circuit(whatsapp.pk)

    assert "I have fixed it" in shown(here, message)
    refused = confirm(here, message)
    assert refused.status_code == 422
    assert "Fix it first, then tick this." in refused.content.decode()
    assert "Sent again." in told(here, confirm(here, message, fixed="on"))


def test_a_tick_for_another_question_answers_nothing(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:131026", error_class="never")

    response = confirm(here, message, fixed="on", accepts_duplicate="on")

    assert response.status_code == 409
    assert message.attempts.count() == 1


def test_a_closed_window_sends_a_template_first(
    ours: World,
    theirs: World,
    whatsapp: Integration,
    sandbox: Sandbox,
    here: Client,
) -> None:
    message = failed(ours, whatsapp, **WINDOW)
    template, foreign = ours.template("come_back"), theirs.template("not_ours")

    markup = here.get(address(message)).content.decode()
    assert "Send a template first" in markup
    assert "come_back (en)" in markup
    assert "not_ours" not in markup
    assert 'name="when"' not in markup
    assert confirm(here, message).status_code == 422
    assert confirm(here, message, template=foreign.pk).status_code == 422

    text = told(here, confirm(here, message, template=template.pk))

    assert "The message follows as soon as the member answers." in text
    assert "It follows when the member answers" in text
    assert "come_back" in text
    assert "A template was sent already" in text
    assert len(sandbox.accepted()) == 1
    opener = FollowUp.objects.get().opener
    there = words(here.get(f"/messages/{opener.pk}/").content.decode())
    assert "Sent first, so that another message can follow the answer." in there

    stopped = told(here, confirm(here, message, "message-follow-up-cancel"))
    assert "It does not follow any more" in stopped
    assert FollowUp.objects.get().state == "cancelled"
    again = confirm(here, message, "message-follow-up-cancel")
    assert again.status_code == 409


def test_an_answer_that_came_too_late_is_explained(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, **WINDOW)
    follow_up.open_window(message, ours.template(), KOFI)
    FollowUp.objects.update(
        state="refused",
        closed_at=timezone.now(),
        sentence="The message is older than 48 hours.",
    )

    text = words(here.get(f"/messages/{message.pk}/").content.decode())

    assert "The member answered, but it could not follow" in text
    assert "The message is older than 48 hours." in text


def test_without_a_template_the_dialog_says_who_can_help(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, **WINDOW)

    assert "There is no template that this integration accepts." in shown(here, message)


def test_a_broken_template_is_replaced(
    ours: World, whatsapp: Integration, sandbox: Sandbox, here: Client
) -> None:
    broken, better = ours.template("broken"), ours.template("better")
    message = failed(
        ours,
        whatsapp,
        code="whatsapp:132001",
        error_class="fix_first",
        content=broken,
    )

    text = told(here, confirm(here, message, template=better.pk))

    assert "Sent again. WhatsApp accepted it." in text
    assert "Instead, from attempt 2 on" in text
    assert resend.fresh(message.pk).content_id == broken.pk


@pytest.fixture
def picture(ours: World) -> Content:
    return Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": "https://example.org/gone.jpg", "caption": "Our harbour"},
    )


def test_a_new_media_link_is_looked_at_first(
    ours: World,
    whatsapp: Integration,
    here: Client,
    picture: Content,
    settings: Settings,
    shelf: str,  # noqa: F811 - the fixture
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    message = failed(ours, whatsapp, content=picture, **MEDIA)

    assert 'value="https://example.org/gone.jpg"' in (
        here.get(address(message)).content.decode()
    )
    refused = confirm(here, message, link=f"{shelf}/page")
    assert refused.status_code == 422
    assert "which is no image" in refused.content.decode()
    assert Content.objects.filter(kind="image").count() == 1

    text = told(here, confirm(here, message, link=f"{shelf}/cat.jpg"))

    assert "Sent again. WhatsApp accepted it." in text
    page = here.get(f"/messages/{message.pk}/").content.decode()
    assert "Original" in page
    assert "https://example.org/gone.jpg" in page
    assert f"{shelf}/cat.jpg" in page
    assert "with other content" in page


def test_a_file_that_works_again_keeps_its_link(
    ours: World,
    whatsapp: Integration,
    here: Client,
    settings: Settings,
    shelf: str,  # noqa: F811 - the fixture
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    content = Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": f"{shelf}/cat.jpg"},
    )
    message = failed(ours, whatsapp, content=content, **MEDIA)

    text = told(here, confirm(here, message, link=f"{shelf}/cat.jpg"))

    assert "Sent again." in text
    assert Content.objects.filter(kind="image").count() == 1


def test_links_into_the_own_network_are_refused(
    ours: World, whatsapp: Integration, here: Client, picture: Content
) -> None:
    message = failed(ours, whatsapp, content=picture, **MEDIA)

    refused = confirm(here, message, link="http://127.0.0.1:5432/cat.jpg")

    assert refused.status_code == 422
    assert "inside a private network" in refused.content.decode()


def test_what_arrived_is_sent_as_a_copy(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp, state="delivered", code="", error_class="")

    page = here.get(f"/messages/{message.pk}/").content.decode()
    assert "Send a copy…" in page
    assert "Send again…" not in page
    assert "gets it twice" in shown(here, message, "message-copy")
    assert "Send a copy instead." in shown(here, message)

    response = confirm(here, message, "message-copy")

    copy = Message.objects.get(root=message)
    assert response["Location"] == f"/messages/{copy.pk}/"
    assert "A copy was sent. WhatsApp accepted it." in told(here, response)
    assert resend.fresh(message.pk).state == "delivered"


def test_what_did_not_arrive_is_not_copied(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)

    assert confirm(here, message, "message-copy").status_code == 409
    assert Message.objects.count() == 1


@pytest.mark.parametrize("name", ["message-move", "message-take-back"])
def test_what_waits_no_more_cannot_be_changed(
    ours: World, whatsapp: Integration, here: Client, name: str
) -> None:
    message = failed(ours, whatsapp)
    at = in_zone(timezone.now() + timedelta(hours=1))

    response = confirm(here, message, name, at=at)

    assert response.status_code == 409
    assert "waiting any more" in response.content.decode()


def test_agents_see_no_buttons(
    ours: World, whatsapp: Integration, agent: Client
) -> None:
    messages = [
        failed(ours, whatsapp),
        failed(ours, whatsapp, state="delivered", code="", error_class=""),
        tried(ours, "queued", integration=whatsapp),
    ]

    for message in messages:
        page = agent.get(f"/messages/{message.pk}/").content.decode()
        for label in ("Send again…", "Send a copy…", "Move…"):
            assert label not in page
        assert confirm(agent, message).status_code == 403


def test_the_button_appears_when_a_message_fails_while_somebody_looks(
    ours: World, whatsapp: Integration, here: Client, log_in: LogIn
) -> None:
    message = tried(ours, "sending", integration=whatsapp)
    page = here.get(f"/messages/{message.pk}/").content.decode()
    watched = re.search(r'hx-get="(/messages/[^"]+)"', page)
    assert watched is not None
    message.attempts.update(
        state="failed",
        closed_at=timezone.now(),
        error_code="whatsapp:131000",
        error_class="retry",
    )
    Message.objects.update(
        state="failed", error_code="whatsapp:131000", error_class="retry"
    )

    markup = here.get(watched[1]).content.decode()

    assert re.search(r'id="message-actions" hx-swap-oob="true"', markup)
    assert re.search(r'<a[^>]*id="send-again"', markup)


def test_the_cost_of_the_page_does_not_grow_with_attempts(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    def cost(attempts: int) -> int:
        message = tried(ours, "failed", attempts=attempts, integration=whatsapp)
        with CaptureQueriesContext(connection) as queries:
            here.get(f"/messages/{message.pk}/")
        return len(queries)

    assert cost(1) == cost(5) <= 20


REFUSED = "The provider refuses the credentials: the token has expired"


def pause(integration: Integration) -> None:
    Integration.objects.filter(pk=integration.pk).update(
        state="paused", state_reason=REFUSED
    )


def test_a_pause_is_told_before_and_after(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    pause(whatsapp)

    before = shown(here, message)
    after = told(here, confirm(here, message))

    assert f"“{whatsapp.name}” is paused. {REFUSED}. You may confirm" in before
    assert f"It waits: “{whatsapp.name}” is paused. {REFUSED}. Nothing is lost" in after
    assert "leaves as soon as somebody resumes the integration" in after
    assert "leaves in a moment" not in after
    assert "Attempt 2 waits: its integration is paused" in after
    assert "Resume it on the overview" in after


def test_a_pause_is_told_of_what_leaves_later(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    message = failed(ours, whatsapp)
    pause(whatsapp)
    at = in_zone(timezone.now() + HOUR)

    after = told(here, confirm(here, message, when="later", at=at))

    assert f"Until now “{whatsapp.name}” is paused." in after
    assert "it leaves at its time, or as soon as somebody resumes" in after


def test_a_copy_and_a_template_wait_behind_a_pause_as_well(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    arrived = tried(ours, "delivered", integration=whatsapp)
    closed = failed(ours, whatsapp, **WINDOW)
    template = ours.template()
    pause(whatsapp)

    assert "the copy leaves as soon as somebody" in shown(here, arrived, "message-copy")
    copied = told(here, confirm(here, arrived, "message-copy"))
    opened = told(here, confirm(here, closed, template=str(template.pk)))

    assert f"The copy waits: “{whatsapp.name}” is paused." in copied
    assert f"The template waits: “{whatsapp.name}” is paused." in opened


def test_a_slow_provider_is_explained_while_it_is_waited_for(
    ours: World, whatsapp: Integration, here: Client
) -> None:
    again = failed(ours, whatsapp)
    arrived = tried(ours, "delivered", integration=whatsapp)

    for message, name in ((again, "message-resend"), (arrived, "message-copy")):
        asked = here.get(address(message, name), headers=IN_DIALOG).content.decode()
        assert '<p class="slow" role="status">' in asked
        assert "You may close this or leave the page" in asked
