"""What every channel promises the engine, and the words both sides share.

A channel knows one provider's wire format: it builds the request, reads the
answer, and understands what the provider posts back later. It knows no Django
and no Celery. It never raises for what a provider says: every answer is one of
the four values of :data:`Answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol


class Channel(StrEnum):
    """The road a message travels; a person has at most one address on each."""

    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"
    SMS = "sms"
    EMAIL = "email"


class ContentKind(StrEnum):
    """The kinds of content. ``flow`` is an ordered list of the others."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    INTERACTIVE = "interactive"
    TEMPLATE = "template"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Account:
    """One integration, as much of it as a channel needs.

    ``hook_url`` is the public address to which the provider posts receipts.
    """

    uid: str
    credentials: Mapping[str, str]
    settings: Mapping[str, Any]
    hook_url: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """One part of one attempt, ready to leave.

    ``part`` counts from 0; everything but a flow has one part only.
    ``parameters`` are the values frozen into the message when it was planned,
    for the ``{{name}}`` placeholders of text and templates.
    """

    attempt_id: int
    part: int
    recipient: str
    kind: str
    payload: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The mark that travels with the message and comes back in receipts."""
        return f"{self.attempt_id}:{self.part}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. ``delivered``: and the person has it."""

    provider_id: str
    raw: str = ""
    http_status: int | None = None
    delivered: bool = False


AUTH_FAILED = "auth_failed"
"""The code of a refusal that is about our credentials, on every channel: nothing
sent with them arrives, whoever it is for."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused, for certain. ``code`` is the provider's own word, or
    :data:`AUTH_FAILED`."""

    code: str
    detail: str = ""
    raw: str = ""
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimited:
    """The provider asks for a pause of ``retry_after`` seconds.

    ``whole_account`` tells whether the pause concerns everybody or only this
    recipient.
    """

    code: str
    retry_after: float
    detail: str = ""
    raw: str = ""
    http_status: int | None = None
    whole_account: bool = True


IN_DOUBT: Final = frozenset(
    {
        *("timeout", "connection_lost", "unreadable_answer", "worker_lost"),
        # A gateway gave up on the provider behind it; 524 is Cloudflare's own.
        *("http_504", "http_524"),
    }
)
"""What leaves a message *unknown*, without the channel in front; nothing else does.
Other codes may be as unclear in the catalogue, but who has one has failed."""


@dataclass(frozen=True, slots=True)
class InDoubt:
    """We cannot tell whether the message left. ``code`` is one of ``IN_DOUBT``."""

    code: str
    detail: str = ""
    raw: str = ""
    http_status: int | None = None


Answer = Accepted | Rejected | RateLimited | InDoubt


class EventKind(StrEnum):
    """What a provider may tell us later."""

    STATUS = "status"
    INBOUND = "inbound"
    UNREADABLE = "unreadable"
    """A message came in that the device could not decrypt."""
    MEDIA = "media"
    """The file of a message that came in was sent once more, or could not be."""
    HISTORY = "history"
    """Older messages of a chat, because somebody asked for them."""
    DEVICE = "device"
    """The phone behind a gateway got or lost its connection, or its link."""
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a provider told us, unpacked but not yet believed.

    ``key`` is unique per integration, so a doubled post is one event.
    ``address`` is written as in the database: a phone number with its plus.
    ``raw`` is fit for a JSON column: no NUL, no lone surrogate, no NaN.
    ``state`` is one of sent, delivered, read, failed, or empty when the
    provider used a word we do not know. ``error_code`` is the provider's own.
    """

    key: str
    kind: EventKind
    raw: Any
    reference: str = ""
    provider_id: str = ""
    state: str = ""
    error_code: str = ""
    error_detail: str = ""
    address: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What a provider posted to us. Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class Connection(Protocol):
    """An open way to one provider; used by many sends at the same time."""

    async def send(self, outbound: Outbound) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Field:
    """One credential or setting of an integration, described for a form.

    ``credential`` says where the value lives: in ``Account.credentials`` (and
    encrypted), else in ``Account.settings``. ``secret`` values are never shown
    again once saved. With ``choices`` only these values are allowed.
    """

    name: str
    label: str
    help: str = ""
    credential: bool = False
    secret: bool = False
    required: bool = True
    default: str = ""
    choices: Sequence[str] = ()


class Provider(Protocol):
    """One provider. Instances are stateless and shared."""

    kind: str
    """Stored in ``Integration.kind``, e.g. ``whatsapp_cloud``."""
    name: str
    channel: Channel
    content_kinds: frozenset[ContentKind]
    default_rate: float
    """Messages per second that a new integration starts with."""
    pair_seconds: float
    """Seconds that the provider wants between two messages to the same person;
    0 when it has no such rule."""
    timeout: float
    """Seconds after which an unanswered request is in doubt."""
    concurrency: int
    """Requests that one connection really has under way at the same time."""
    confirms_delivery: bool
    """Whether receipts follow; without them *sent* is the last word."""
    fields: Sequence[Field]

    def problems(self, account: Account) -> list[str]:
        """Return, in words, what of the configuration is missing or wrong."""
        ...

    def refusals(self, kind: str, payload: Mapping[str, Any]) -> list[str]:
        """Return, in words, why this content cannot travel on this channel."""
        ...

    def connect(self, account: Account) -> AbstractAsyncContextManager[Connection]: ...

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        """Tell whether the provider itself posted this (constant-time)."""
        ...

    def handshake(self, account: Account, request: HookRequest) -> str | None:
        """Return the answer to a provider's GET verification, or ``None``."""
        ...

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        """Unpack a post into events. Never raises: what is not understood
        becomes one event of kind ``unknown`` that carries the whole post."""
        ...
