"""What people do to their own way in."""

from __future__ import annotations

from django.test import Client

from messaging import second_factor, sessions
from messaging.models import (
    SecondFactor,
    Session,
    User,
)
from tests.messaging.test_second_factor import code_of
from tests.trail.pages import url
from tests.trail.scene import Act, Scene, deed

PASSWORD = "correct horse battery"


def with_password(scene: Scene) -> None:
    scene.world.admin.set_password(PASSWORD)
    scene.world.admin.save()
    scene.browser.force_login(scene.world.admin)


def with_second_step(scene: Scene) -> str:
    """Turn on the second step; return a code that was not used yet."""
    person = scene.world.admin
    second_factor.begin(person)
    second_factor.confirm(person, code_of(person))
    SecondFactor.objects.update(last_step=-1)
    return code_of(person)


def elsewhere(person: User) -> Session:
    """Return a session of this person on another machine."""
    browser = Client()
    browser.force_login(person)
    key = browser.session.session_key
    assert key is not None
    return Session.objects.get(session_key=key)


@deed("messaging:account-password")
def _(scene: Scene) -> Act:
    with_password(scene)
    return scene.posts(
        "/account/password/",
        password=PASSWORD,
        new_password="staple 12 horses",
        repeated="staple 12 horses",
    )


@deed("messaging:account-second-factor")
def _(scene: Scene) -> Act:
    with_password(scene)
    second_factor.begin(scene.world.admin)
    code = code_of(scene.world.admin)
    return scene.posts("/account/second-step/", code=code, password=PASSWORD)


@deed("messaging:account-second-factor-off")
def _(scene: Scene) -> Act:
    return scene.posts("/account/second-step/off/", code=with_second_step(scene))


@deed("messaging:account-recovery-codes")
def _(scene: Scene) -> Act:
    return scene.posts("/account/second-step/codes/", code=with_second_step(scene))


@deed("messaging:account-session-end")
def _(scene: Scene) -> Act:
    return scene.posts(
        url("messaging:account-session-end", elsewhere(scene.world.admin))
    )


@deed("messaging:account-sessions-end")
def _(scene: Scene) -> Act:
    assert sessions.of(scene.world.admin)
    elsewhere(scene.world.admin)
    return scene.posts("/account/sessions/end/")


@deed("a recovery code that lets somebody in")
def _(scene: Scene) -> Act:
    with_password(scene)
    with_second_step(scene)
    [code, *_] = second_factor.new_recovery_codes(scene.world.admin)
    name = scene.world.admin.username
    visitor = Client()
    visitor.post("/login/", {"username": name, "password": PASSWORD})
    return lambda: visitor.post("/login/code/", {"code": code})
