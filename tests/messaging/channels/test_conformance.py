"""What every channel promises the engine, checked against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from messaging.channels import PROVIDERS
from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    Provider,
    RateLimited,
    Rejected,
)
from tests.messaging.channels.samples import SECRETS, account, outbound
from tests.messaging.channels.stands import STANDS, Behaviour, HttpStand, Stand, serving

HTTP_KINDS = [kind for kind in PROVIDERS if issubclass(STANDS[kind], HttpStand)]


def impatient(kind: str, seconds: float = 0.5) -> Provider:
    """Return a provider of its own that gives up soon."""
    provider = type(PROVIDERS[kind])()
    provider.timeout = seconds
    return provider


def answer_to(kind: str, behaviour: Behaviour) -> tuple[Answer, Stand]:
    """Send one message to a stand and return what came of it."""

    async def scenario() -> tuple[Answer, Stand]:
        async with STANDS[kind]() as stand:
            stand.behaviour = behaviour
            provider = (
                impatient(kind) if behaviour is Behaviour.SILENCE else PROVIDERS[kind]
            )
            async with provider.connect(stand.account()) as connection:
                return await connection.send(outbound(kind)), stand

    return asyncio.run(scenario())


def with_stand(kind: str, scenario: Callable[[HttpStand], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        async with STANDS[kind]() as stand:
            assert isinstance(stand, HttpStand)
            return await scenario(stand)

    return asyncio.run(run())


every_provider = pytest.mark.parametrize("kind", list(PROVIDERS))
every_http_provider = pytest.mark.parametrize("kind", HTTP_KINDS)


@every_provider
def test_every_provider_has_a_stand(kind: str) -> None:
    assert STANDS[kind].kind == kind


@every_provider
def test_accepted_carries_the_providers_id_and_raw_answer(kind: str) -> None:
    answer, _ = answer_to(kind, Behaviour.ACCEPT)
    assert isinstance(answer, Accepted)
    assert answer.provider_id
    assert answer.raw
    assert answer.delivered is (kind == "telegram_bot")


@every_provider
def test_the_reference_travels_with_the_message(kind: str) -> None:
    _, stand = answer_to(kind, Behaviour.ACCEPT)
    assert stand.references == ["4711:0"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("whatsapp_cloud", "131047"),
        ("device_gateway", "DEVICE_NOT_READY"),
        ("telegram_bot", "400:chat_not_found"),
        ("twilio", "21610"),
        ("smtp", "550-5.1.1"),
    ],
)
def test_a_refusal_has_the_providers_code(kind: str, code: str) -> None:
    answer, _ = answer_to(kind, Behaviour.REFUSE)
    assert isinstance(answer, Rejected)
    assert answer.code == code
    assert answer.detail


@every_provider
def test_no_secret_is_kept_even_when_the_provider_repeats_it(kind: str) -> None:
    answer, _ = answer_to(kind, Behaviour.REFUSE)
    kept = repr(answer)
    assert "[secret]" in kept
    for name in set(SECRETS[kind]) - {"username"}:
        assert SECRETS[kind][name] not in kept
    assert len(answer.raw.encode()) <= 4096


@every_provider
def test_broken_credentials_are_auth_failed(kind: str) -> None:
    answer, _ = answer_to(kind, Behaviour.REFUSE_AUTH)
    assert isinstance(answer, Rejected)
    assert answer.code == "auth_failed"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("whatsapp_cloud", "http_503"),
        ("telegram_bot", "http_503"),
        ("twilio", "http_503"),
        ("smtp", "451-4.3.0"),
    ],
)
def test_a_fault_of_the_provider_is_a_certain_refusal(kind: str, code: str) -> None:
    answer, _ = answer_to(kind, Behaviour.FAULT)
    assert isinstance(answer, Rejected)
    assert answer.code == code


@pytest.mark.parametrize(
    ("kind", "code", "seconds"),
    [
        ("whatsapp_cloud", "130429", 5.0),
        ("telegram_bot", "429", 17.0),
        ("twilio", "20429", 5.0),
    ],
)
def test_a_rate_limit_asks_for_a_pause(kind: str, code: str, seconds: float) -> None:
    answer, _ = answer_to(kind, Behaviour.RATE_LIMIT)
    assert isinstance(answer, RateLimited)
    assert (answer.code, answer.retry_after) == (code, seconds)
    assert answer.whole_account


def test_a_mail_server_that_wants_a_pause_refuses_for_now() -> None:
    answer, _ = answer_to("smtp", Behaviour.RATE_LIMIT)
    assert isinstance(answer, Rejected)
    assert answer.code == "450-4.7.1"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Behaviour.GARBAGE, "unreadable_answer"),
        (Behaviour.BREAK_OFF, "unreadable_answer"),
        (Behaviour.HANG_UP, "connection_lost"),
        (Behaviour.SILENCE, "timeout"),
    ],
)
@every_provider
def test_a_lost_answer_is_in_doubt(kind: str, behaviour: Behaviour, code: str) -> None:
    answer, stand = answer_to(kind, behaviour)
    assert isinstance(answer, InDoubt)
    assert answer.code == code
    assert stand.references == ["4711:0"], "The message is written once, not twice."


@every_provider
def test_a_closed_port_is_a_certain_failure(kind: str) -> None:
    async def scenario() -> Answer:
        async with STANDS[kind]() as stand:
            gone = stand.account()
        async with PROVIDERS[kind].connect(gone) as connection:
            return await connection.send(outbound(kind))

    answer = asyncio.run(scenario())
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"


@every_provider
def test_an_unknown_server_is_a_certain_failure(kind: str) -> None:
    settings = {
        "base_url": "http://no-such-host.invalid",
        "host": "no-such-host.invalid",
    }

    async def scenario() -> Answer:
        async with impatient(kind).connect(account(kind, settings)) as connection:
            return await connection.send(outbound(kind))

    answer = asyncio.run(scenario())
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"


@every_provider
def test_a_server_that_never_greets_is_a_certain_failure(kind: str) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Reads the greeting of TLS, or waits to be greeted itself, for ever.
        await reader.read()

    async def scenario() -> Answer:
        async with serving(mute) as port:
            silent = account(
                kind, {"base_url": f"https://127.0.0.1:{port}", "port": port}
            )
            async with impatient(kind).connect(silent) as connection:
                return await connection.send(outbound(kind))

    answer = asyncio.run(scenario())
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"


@every_provider
def test_a_payload_of_the_wrong_shape_is_refused_before_it_leaves(kind: str) -> None:
    async def scenario() -> tuple[list[Answer], Stand]:
        async with STANDS[kind]() as stand:
            async with PROVIDERS[kind].connect(stand.account()) as connection:
                answers = [
                    await connection.send(outbound(kind, name, {"parts": []}))
                    for name in ("flow", "carrier_pigeon", "image", "template")
                ]
            return answers, stand

    answers, stand = asyncio.run(scenario())
    assert stand.references == []
    for answer in answers:
        assert isinstance(answer, Rejected)
        assert answer.code == "invalid_content"


@every_provider
def test_connections_are_kept_and_a_chunk_goes_out_together(kind: str) -> None:
    async def scenario() -> tuple[list[Answer], Stand]:
        async with STANDS[kind]() as stand:
            async with PROVIDERS[kind].connect(stand.account()) as connection:
                answers = [
                    await connection.send(outbound(kind, attempt_id=number))
                    for number in range(3)
                ]
                assert stand.connections == 1
                answers += await asyncio.gather(
                    *(
                        connection.send(outbound(kind, attempt_id=number))
                        for number in range(3, 40)
                    )
                )
            return answers, stand

    answers, stand = asyncio.run(scenario())
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert sorted(stand.references) == sorted(f"{number}:0" for number in range(40))
    if kind == "smtp":
        assert stand.connections <= 4


@every_provider
def test_one_connection_survives_every_failure(kind: str) -> None:
    async def scenario() -> list[Answer]:
        async with (
            STANDS[kind]() as stand,
            impatient(kind, 1.5).connect(stand.account()) as connection,
        ):
            answers = []
            for behaviour in (*Behaviour, Behaviour.ACCEPT):
                stand.behaviour = behaviour
                answers.append(await connection.send(outbound(kind)))
            return answers

    answers = asyncio.run(scenario())
    assert len(answers) == len(Behaviour) + 1
    assert isinstance(answers[-1], Accepted)


@every_http_provider
def test_a_refusal_whose_body_breaks_off_is_certain(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        stand.raw_answer = b"HTTP/1.1 400 No\r\nContent-Length: 500\r\n\r\n{"
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.http_status) == ("http_400", 400)


@every_http_provider
def test_an_answer_that_is_not_http_is_in_doubt(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        stand.raw_answer = b"220 mail.example.com ESMTP\r\n\r\n"
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, InDoubt)
    assert answer.code == "unreadable_answer"


@every_http_provider
def test_an_endless_answer_is_in_doubt_and_cut(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n"
        stand.raw_answer = head + b"x" * 3_000_000
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, InDoubt)
    assert len(answer.raw) == 4096


@every_http_provider
def test_a_gateway_that_stopped_waiting_leaves_doubt(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        stand.raw_answer = b"HTTP/1.1 504 Late\r\nContent-Length: 4\r\n\r\nlate"
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, InDoubt)
    assert (answer.code, answer.http_status, answer.raw) == ("http_504", 504, "late")


@every_http_provider
@pytest.mark.parametrize("status", [502, 520])
def test_a_gateway_that_lost_the_answer_leaves_doubt(kind: str, status: int) -> None:
    page = b"<html>Bad Gateway</html>"

    async def scenario(stand: HttpStand) -> Answer:
        head = f"HTTP/1.1 {status} Bad\r\nContent-Length: {len(page)}\r\n\r\n"
        stand.raw_answer = head.encode() + page
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, InDoubt)
    assert (answer.code, answer.http_status) == ("unreadable_answer", status)
    assert answer.raw == page.decode()


@every_http_provider
def test_a_redirect_is_not_followed(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        there = f"http://127.0.0.1:{stand.port}/elsewhere"
        stand.raw_answer = (
            f"HTTP/1.1 307 There\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            answer = await connection.send(outbound(kind))
        assert len(stand.requests) == 1
        return answer

    answer = with_stand(kind, scenario)
    assert isinstance(answer, Rejected)
    assert answer.code == "http_307"


@every_http_provider
def test_the_providers_own_pause_is_respected(kind: str) -> None:
    async def scenario(stand: HttpStand) -> Answer:
        stand.raw_answer = (
            b"HTTP/1.1 429 Slow\r\nRetry-After: 23\r\nContent-Length: 0\r\n\r\n"
        )
        async with PROVIDERS[kind].connect(stand.account()) as connection:
            return await connection.send(outbound(kind))

    answer = with_stand(kind, scenario)
    assert isinstance(answer, RateLimited)
    assert answer.retry_after == 23.0


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:99999", "http://", "ftp://x", "http://[::", "nonsense"],
)
@every_http_provider
def test_an_impossible_address_is_a_certain_failure(kind: str, address: str) -> None:
    async def scenario() -> Answer:
        broken = account(kind, {"base_url": address})
        async with PROVIDERS[kind].connect(broken) as connection:
            return await connection.send(outbound(kind))

    answer = asyncio.run(scenario())
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"
