"""Post messages over HTTP, and be exact about what is certain afterwards.

A provider describes its request (:meth:`HttpProvider.build`) and understands
its answer (:meth:`HttpProvider.read`); both are free of any network. What lies
between them is here, once for all: every way a request can end becomes one of
the four answers, and only what certainly did not leave is a rejection.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from messaging.channels.answering import BrokenError
from messaging.channels.client import MAX_CONNECTIONS, Client, NotLeftError
from messaging.channels.configuration import address_problems, base_url, missing
from messaging.channels.contract import (
    Accepted,
    Account,
    Answer,
    Channel,
    Connection,
    ContentKind,
    Event,
    Field,
    HookRequest,
    InDoubt,
    Outbound,
    RateLimited,
    Rejected,
)
from messaging.channels.limits import Carrier, Limits
from messaging.channels.redaction import Redaction, storable

GATEWAY_GAVE_UP: Final = frozenset({504, 524})
"""Answers of a gateway that stopped waiting: the provider may still have sent."""
GATEWAY_LOST_IT: Final = frozenset({502, 520})
"""Answers of a gateway that got none it could read: also when the provider broke off
after it had read the request. In the provider's own words they are its refusal."""

LONGEST_PAUSE: Final = 86_400.0
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to be written."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


class HttpProvider(ABC):
    """A provider spoken to over HTTP. Stateless."""

    kind: str
    name: str
    channel: Channel
    content_kinds: frozenset[ContentKind]
    default_rate: float
    pair_seconds: float = 0.0
    timeout: float = 10.0
    concurrency: int = MAX_CONNECTIONS
    confirms_delivery: bool
    fields: Sequence[Field]
    limits: Limits

    @abstractmethod
    def build(self, account: Account, outbound: Outbound) -> HttpRequest:
        """Return the request for one part. Pure."""

    @abstractmethod
    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return what a complete answer means. Pure; ask for headers in lower case."""

    @abstractmethod
    def is_authentic(self, account: Account, request: HookRequest) -> bool: ...

    @abstractmethod
    def events(self, account: Account, request: HookRequest) -> list[Event]: ...

    def handshake(self, account: Account, request: HookRequest) -> str | None:
        return None

    def problems(self, account: Account) -> list[str]:
        return [
            *missing(self.fields, account),
            *address_problems(base_url(self.fields, account)),
        ]

    def refusals(self, kind: str, payload: Mapping[str, Any]) -> list[str]:
        return Carrier(self.name, self.content_kinds, self.limits).refusals(
            kind, payload
        )

    def secrets(self, account: Account) -> list[str]:
        """Return what must never be seen in a kept answer."""
        return [
            str(account.credentials.get(field.name) or "")
            for field in self.fields
            if field.secret
        ]

    def connect(self, account: Account) -> AbstractAsyncContextManager[Connection]:
        return self._connect(account)

    @asynccontextmanager
    async def _connect(self, account: Account) -> AsyncIterator[Connection]:
        client = Client(seconds=self.timeout, user_agent="ResendAdmin")
        try:
            yield HttpConnection(self, account, client)
        finally:
            await client.close()


class HttpConnection:
    """Kept connections with one provider, for one account."""

    def __init__(
        self, provider: HttpProvider, account: Account, client: Client
    ) -> None:
        self._provider = provider
        self._account = account
        self._client = client
        self._redaction = Redaction(provider.secrets(account))

    async def send(self, outbound: Outbound) -> Answer:
        """Post one part. Never raises but for cancellation."""
        try:
            request = self._provider.build(self._account, outbound)
            _refuse_control_characters(request)
        # A payload of the wrong shape must not take its whole chunk with it,
        # and nothing has left yet.
        except Exception as problem:  # noqa: BLE001
            return Rejected("invalid_content", self._readable(_describe(problem)))
        return await self.ask(request, outbound.reference)

    async def ask(self, request: HttpRequest, reference: str) -> Answer:
        """Write one request that was built; never raises but for cancellation."""
        try:
            status, headers, body = await self._client.request(
                request.method,
                request.url,
                tuple(request.headers.items()),
                reference,
                request.body,
            )
        except NotLeftError as problem:
            return self._kept(Rejected("connection_failed", str(problem)), None, b"")
        except BrokenError as problem:
            return self._broken(problem.status, problem.code, problem.detail)
        try:
            answer = self._provider.read(status, headers, body)
            return self._kept(answer, status, body)
        # Whatever an answer says, it leaves its message in doubt and no other.
        except Exception as problem:  # noqa: BLE001
            return self._broken(status, "unreadable_answer", _describe(problem))

    def _broken(self, status: int | None, code: str, detail: str) -> Answer:
        """Return what an answer without a readable end means.

        A refusal is certain by its status alone; a success is not, because the
        id that receipts will carry is lost.
        """
        if status is not None and status >= 300:
            answer = self._provider.read(status, {}, b"")
        else:
            answer = InDoubt(code, detail)
        return self._kept(answer, status, b"")

    def _kept(self, answer: Answer, status: int | None, body: bytes) -> Answer:
        """Return an answer with all that goes on record, and no secret in it."""
        raw = self._readable(body)
        if isinstance(answer, Accepted):
            provider_id = storable(answer.provider_id)
            return Accepted(provider_id, raw, status, answer.delivered)
        return replace(
            answer,
            code=storable(answer.code),
            detail=self._readable(answer.detail),
            raw=raw,
            http_status=status,
        )

    def _readable(self, text: str | bytes) -> str:
        return self._redaction.keepable(text)


def json_request(
    url: str, value: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> HttpRequest:
    """Return a request with a JSON body."""
    return HttpRequest(
        url=url,
        body=_encoded(value),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def _encoded(value: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # It is strict about what JSON leaves open, such as numbers beyond 64 bits.
        return json.dumps(value, separators=(",", ":")).encode()


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object of an answer, or ``None`` if it is something else."""
    try:
        value = orjson.loads(body)
    except ValueError:
        value = _read_leniently(body)
    return value if isinstance(value, dict) else None


def _read_leniently(body: bytes) -> Any:
    """Read what is JSON to many, such as half a surrogate or UTF-16."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def without_own_words(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Return what an answer means in which the provider itself says nothing.

    Such an answer is a gateway's, or an error page.
    """
    detail = body[:300].decode("utf-8", "replace")
    code = f"http_{status}"
    if status == 429:
        return RateLimited(code, pause(headers, default=10.0), detail)
    if status == 401:
        return Rejected("auth_failed", detail)
    if status in GATEWAY_GAVE_UP:
        return InDoubt(code, detail)
    if status in GATEWAY_LOST_IT:
        return InDoubt("unreadable_answer", detail)
    if status >= 300:
        return Rejected(code, detail)
    return InDoubt("unreadable_answer", detail)


def pause(headers: Mapping[str, str], default: float) -> float:
    """Return the seconds a ``Retry-After`` asks for (number or date)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value):
        return min(float(value), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return default
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _refuse_control_characters(request: HttpRequest) -> None:
    """Raise ``ValueError`` before a header is cut in two by a line break."""
    for name, value in request.headers.items():
        if CONTROL.search(value):
            message = f"The value for {name} contains a control character."
            raise ValueError(message)


def _describe(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".rstrip(": ")
