"""What Twilio posts about a sender: status callbacks and incoming messages.

Wire format: twilio.com/docs, "Outbound Message Status in Status Callbacks",
"Twilio's Request to your Webhook URL" and "Validating signatures from Twilio".
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from messaging.channels.contract import Account, Event, EventKind, HookRequest
from messaging.channels.posts import consent, key, phone, unknown, word
from messaging.channels.redaction import storable

STATES: Final[Mapping[str, str]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
}
"""Twilio's words for the way to there ("queued", "sending") change nothing."""

OPT_OUT_TYPES: Final = {"STOP": EventKind.OPT_OUT, "START": EventKind.OPT_IN}

CARRIER_STOP_WORDS: Final = frozenset({"cancel", "end", "quit"})
"""Words by which carriers opt a person out of SMS, beyond everybody's."""


def is_authentic(account: Account, request: HookRequest) -> bool:
    """Check the HMAC-SHA1 over the address and the sorted parameters.

    Twilio signs the address it was given. Behind a proxy the request shows
    another one, so origin and path are those of the integration itself.
    """
    secret = account.credentials.get("auth_token", "")
    given = request.headers.get("x-twilio-signature", "")
    if not secret or not given or request.method != "POST":
        return False
    form = _form(request)
    if form is None:
        return False
    pairs = "".join(name + value for name, value in sorted(set(form)))
    right = [
        b64encode(
            hmac.digest(
                secret.encode(),
                (address + pairs).encode("utf-8", "replace"),
                "sha1",
            )
        )
        for address in _signed_addresses(account.hook_url, request.url)
    ]
    heard = given.encode("utf-8", "replace")
    # Every candidate is compared, so that the time tells nothing.
    return sum(hmac.compare_digest(one, heard) for one in right) > 0


def events(request: HookRequest) -> list[Event]:
    """Unpack one post; Twilio tells one thing at a time."""
    form = {storable(name): storable(value) for name, value in _form(request) or []}
    sid = word(form.get("MessageSid") or form.get("SmsSid"))
    if sid and "MessageStatus" in form:
        return [_status(sid, form, request)]
    if sid and form.get("From"):
        return _inbound(sid, form)
    return [unknown(request.body, form or None)]


def _form(request: HookRequest) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(
            request.body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=500,
        )
    except ValueError:
        return None


def _signed_addresses(hook_url: str, seen_url: str) -> list[str]:
    """Return the spellings of our address that Twilio may have signed.

    Twilio's own libraries accept the address with and without its port,
    because Twilio leaves it out or in depending on the kind of request.
    """
    try:
        hook, query = urlsplit(hook_url), urlsplit(seen_url).query
        host, port = hook.hostname or "", hook.port
    except ValueError:
        return []
    if ":" in host:
        host = f"[{host}]"
    standard = 443 if hook.scheme == "https" else 80
    origins = dict.fromkeys([hook.netloc, host, f"{host}:{port or standard}"])
    return [
        urlunsplit((hook.scheme, origin, hook.path, query, "")) for origin in origins
    ]


def _status(sid: str, form: Mapping[str, str], request: HookRequest) -> Event:
    name = word(form["MessageStatus"], 40)
    return Event(
        key=key("status", sid, name),
        kind=EventKind.STATUS,
        raw=dict(form),
        reference=word(_reference(request)),
        provider_id=sid,
        state=STATES.get(name, ""),
        error_code=word(form.get("ErrorCode"), 40),
        error_detail=word(form.get("ErrorMessage"), 1000),
        address=phone(form.get("To")),
    )


def _reference(request: HookRequest) -> str:
    """Return the mark we put into the address of the callback."""
    given = request.query.get("reference")
    if given is None:
        try:
            given = parse_qs(urlsplit(request.url).query).get("reference", [""])[0]
        except ValueError:
            given = ""
    return storable(given)


def _inbound(sid: str, form: Mapping[str, str]) -> list[Event]:
    sender = phone(form["From"])
    inbound = Event(
        key=key("message", sid),
        kind=EventKind.INBOUND,
        raw=dict(form),
        provider_id=sid,
        address=sender,
    )
    body = form.get("Body", "")
    if "OptOutType" in form:
        wish = OPT_OUT_TYPES.get(form["OptOutType"].upper())
    elif body.strip().casefold() in CARRIER_STOP_WORDS:
        wish = EventKind.OPT_OUT
    else:
        wish = consent(body)
    if wish is None:
        return [inbound]
    decision = Event(
        key=key(wish, sid),
        kind=wish,
        raw=inbound.raw,
        provider_id=sid,
        address=sender,
    )
    return [inbound, decision]
