from __future__ import annotations

import smtplib

import pytest

from resend_admin.sandbox.log import accepted_twice
from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.senders import mail


def refusal(sandbox: Sandbox, to: str) -> tuple[int, str]:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        mail(sandbox, to)
    code, text = caught.value.recipients[to]
    return code, text.decode()


def test_accepted_mail_is_recorded_with_its_reference(sandbox: Sandbox) -> None:
    mail(sandbox, "Ann@example.org", reference="12:0")
    (entry,) = sandbox.accepted()
    assert entry.recipient == "ann@example.org"
    assert entry.reference == "12:0"
    assert entry.account == "shop@example.org"
    assert entry.provider_id


@pytest.mark.parametrize(
    ("to", "code", "enhanced"),
    [
        ("ann0002@example.org", 550, "5.1.1"),
        ("ann0006@example.org", 550, "5.7.1"),
        ("ann0004@example.org", 451, "4.3.0"),
    ],
)
def test_magic_addresses_are_refused_at_once(
    sandbox: Sandbox, to: str, code: int, enhanced: str
) -> None:
    status, text = refusal(sandbox, to)
    assert status == code
    assert text.startswith(enhanced)
    (entry,) = sandbox.entries()
    assert entry.code == f"{code}-{enhanced}"


def test_0004_passes_the_second_time(sandbox: Sandbox) -> None:
    refusal(sandbox, "ann0004@example.org")
    mail(sandbox, "ann0004@example.org")
    assert len(sandbox.accepted()) == 1


def test_0007_is_accepted_but_never_answered(sandbox: Sandbox) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        mail(sandbox, "ann0007@example.org", timeout=0.3)
    (entry,) = sandbox.accepted()
    assert entry.fate == "silent"


def test_the_digest_knows_a_mail_again_whatever_its_headers(sandbox: Sandbox) -> None:
    mail(sandbox, "ann@example.org", text="One", reference="1:0")
    mail(sandbox, "ann@example.org", text="Two", reference="2:0")
    assert accepted_twice(sandbox.entries()) == []
    mail(sandbox, "ann@example.org", text="One", reference="3:0")
    ((first, second),) = accepted_twice(sandbox.entries())
    assert (first.reference, second.reference) == ("1:0", "3:0")


def test_a_login_works_unless_it_was_revoked(sandbox: Sandbox) -> None:
    mail(sandbox, "ann@example.org", password="secret")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        mail(sandbox, "ann@example.org", password="revoked")
    assert len(sandbox.accepted()) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang", smtplib.SMTPServerDisconnected),
        ("close", smtplib.SMTPServerDisconnected),
        ("close_mid_body", smtplib.SMTPServerDisconnected),
        ("garbage", smtplib.SMTPDataError),
    ],
)
@pytest.mark.parametrize("accepting", [True, False])
def test_an_answer_may_get_lost_on_either_side_of_accepting(
    sandbox: Sandbox, fault: str, error: type[Exception], accepting: bool
) -> None:
    sandbox.behave(fault, channel="email", times=1, accepting=accepting)
    with pytest.raises(error):
        mail(sandbox, "ann@example.org", timeout=0.3)
    assert len(sandbox.accepted()) == (1 if accepting else 0)
    mail(sandbox, "bob@example.org")


@pytest.mark.parametrize(
    ("fault", "code"), [("rate_limit", 450), ("server_error", 451), ("auth", 535)]
)
def test_refusing_switches_speak_smtp(sandbox: Sandbox, fault: str, code: int) -> None:
    sandbox.behave(fault, channel="email", times=1)
    assert refusal(sandbox, "ann@example.org")[0] == code


def test_the_auth_switch_refuses_a_login(sandbox: Sandbox) -> None:
    sandbox.behave("auth", channel="email", times=1)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        mail(sandbox, "ann@example.org", password="secret")
    mail(sandbox, "ann@example.org", password="secret")
