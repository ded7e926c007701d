from __future__ import annotations

import json
from pathlib import Path

from resend_admin.sandbox.hooks import Hook, Hooks
from resend_admin.sandbox.log import accepted_twice
from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.conftest import APP_SECRET
from tests.sandbox.receiver import Receiver
from tests.sandbox.senders import NUMBER_ID, mail, sms, telegram, whatsapp


def test_a_restart_remembers_who_failed_once(tmp_path: Path) -> None:
    log = tmp_path / "sandbox.jsonl"
    with Sandbox(log=log) as first:
        assert whatsapp(first, "+49151550004").status >= 500
    with Sandbox(log=log) as second:
        assert whatsapp(second, "+49151550004").status == 200
        assert [entry.outcome for entry in second.entries()] == ["refused", "accepted"]


def test_a_restart_posts_the_receipts_it_still_owes(
    tmp_path: Path, receiver: Receiver
) -> None:
    log = tmp_path / "sandbox.jsonl"
    callback = f"{receiver.url}/hooks/b?reference=9%3A0"
    with Sandbox(log=log, delivery_delay=60) as first:
        url = f"{receiver.url}/hooks/a"
        first.register_hook("whatsapp", NUMBER_ID, url, APP_SECRET)
        whatsapp(first, "+49151550001", reference="1:0")
        whatsapp(first, "+49151550006", reference="2:0")
        sms(first, "+49151550001", callback=callback)
    assert receiver.posts == []
    with Sandbox(log=log, delivery_delay=0.01):
        posts = receiver.wait_until(
            lambda posts: (
                len({post.path for post in posts}) == 2
                and sum(post.path == "/hooks/a" for post in posts) >= 1
            )
        )
        whole = receiver.wait_until(
            lambda posts: (
                sum(len(post.statuses) for post in posts if post.path == "/hooks/a")
                == 2
            )
        )
    assert posts
    statuses = {
        (status["biz_opaque_callback_data"], status["status"])
        for post in whole
        if post.path == "/hooks/a"
        for status in post.statuses
    }
    assert statuses == {("1:0", "delivered"), ("2:0", "failed")}
    (status,) = [post for post in whole if post.path.startswith("/hooks/b")]
    assert status.form["MessageStatus"] == "delivered"


def test_receipts_once_posted_are_not_posted_by_a_restart(
    tmp_path: Path, receiver: Receiver
) -> None:
    log = tmp_path / "sandbox.jsonl"
    callback = f"{receiver.url}/hooks/b"
    with Sandbox(log=log, delivery_delay=0.01) as first:
        sms(first, "+49151550001", text="One", callback=callback)
        first.wait_for_receipts(2)
    with Sandbox(log=log, delivery_delay=0.01) as second:
        sms(second, "+49151550001", text="Two", callback=callback)
        second.wait_for_receipts(4)
    assert len(receiver.posts) == 4


def test_message_numbers_of_telegram_go_on(tmp_path: Path) -> None:
    log = tmp_path / "sandbox.jsonl"
    with Sandbox(log=log) as first:
        telegram(first, 90001234, text="One")
    with Sandbox(log=log) as second:
        telegram(second, 90001234, text="Two")
        numbers = [entry.provider_id for entry in second.accepted()]
    assert len(set(numbers)) == 2


def test_a_sandbox_starts_again_on_its_ports(tmp_path: Path) -> None:
    sandbox = Sandbox(log=tmp_path / "sandbox.jsonl")
    with sandbox:
        ports = sandbox.port, sandbox.smtp_port
    with sandbox:
        assert (sandbox.port, sandbox.smtp_port) == ports
        mail(sandbox, "ann@example.org")


def test_hooks_follow_the_application_to_another_port(tmp_path: Path) -> None:
    path = tmp_path / "hooks.json"
    hooks = Hooks(path)
    hooks.register(Hook("whatsapp", "1", "http://127.0.0.1:1/hooks/u?a=b", "s"))
    moved = Hooks(path, "http://127.0.0.1:2/hooks/").find("whatsapp", "1")
    assert moved is not None
    assert moved.url == "http://127.0.0.1:2/hooks/u?a=b"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())


def test_who_got_something_twice_is_found(sandbox: Sandbox) -> None:
    whatsapp(sandbox, "+49151550001", text="One", reference="1:0")
    whatsapp(sandbox, "+49151550001", text="Two", reference="2:0")
    whatsapp(sandbox, "+49151550008", text="One", reference="3:0")
    assert accepted_twice(sandbox.entries()) == []
    whatsapp(sandbox, "+49151550001", text="One", reference="4:0")
    ((first, second),) = accepted_twice(sandbox.entries())
    assert (first.reference, second.reference) == ("1:0", "4:0")
