"""What a request for a clip says, read and checked field by field.

Wire format: the WUTS gateway's pages "Send an audio message" and "Conventions".
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from messaging.api.gateway import MESSAGE_ID, Device
from messaging.api.gateway_words import Body, invalid_field
from messaging.channels import jids

_DATA_URI = re.compile(r"data:[\w/.+-]*(?:;[\w=. +-]+)*;base64,")
_FILLING = re.compile(r"[\s()+-]")
_NUMBER = re.compile(r"[1-9][0-9]{9,14}")


class QuotedKey(Body):
    id: str = Field(min_length=1, max_length=128)
    fromMe: bool = False  # noqa: N815 - the vendor spells it like this


class Quoted(Body):
    key: QuotedKey


class AudioBody(Body):
    number: str = Field(max_length=60, description="Country code and number.")
    audio: str | None = Field(
        None, description="Base64, with or without a data URI prefix."
    )
    audio_url: str | None = Field(None, max_length=2000)
    ptt: bool = Field(False, description="As a voice note.")
    view_once: bool = False
    delay: int = Field(0, ge=0, le=60, description="Seconds the device waits.")
    mentions: list[str] = Field(default_factory=list, max_length=50)
    quoted: Quoted | None = None
    device_id: Device = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """A request that passed: ``source`` is the file, or none when it has an address.

    ``options`` travel with the clip; what nobody asked for is left out.
    """

    phone: str
    source: bytes | None
    source_url: str
    options: dict[str, Any]


def clip_of(body: AudioBody) -> Clip:
    """Return what is to be sent. Raises a problem that names the wrong field."""
    phone, source = _phone(body.number), _source(body)
    for one in body.mentions:
        if not jids.is_person(one):
            sentence = "Each must be a person: <digits>@s.whatsapp.net."
            raise invalid_field("mentions", sentence, one)
    if body.quoted is not None and not MESSAGE_ID.fullmatch(body.quoted.key.id):
        sentence = "This is no message id."
        raise invalid_field("quoted.key.id", sentence, body.quoted.key.id)
    return Clip(phone, source, body.audio_url or "", _options(body))


def _phone(number: str) -> str:
    plain = number.removesuffix(jids.PERSON)
    if plain.endswith(jids.GROUP):
        sentence = "A message goes to one person, not to a group."
        raise invalid_field("number", sentence, number)
    plain = _FILLING.sub("", plain)
    if not _NUMBER.fullmatch(plain):
        sentence = "Give the country code and the number, 10 to 15 digits."
        raise invalid_field("number", sentence, number)
    return f"+{plain}"


def _source(body: AudioBody) -> bytes | None:
    if (body.audio is None) == (body.audio_url is None):
        raise invalid_field("audio", "Give either audio or audio_url.")
    if body.audio is None:
        return None
    prefix = _DATA_URI.match(body.audio)
    text = body.audio[prefix.end() :] if prefix else body.audio
    try:
        data = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid_field("audio", "This is not base64.", body.audio) from None
    if not data:
        raise invalid_field("audio", "There is nothing in it.", body.audio)
    return data


def _options(body: AudioBody) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if body.ptt:
        found["ptt"] = True
    if body.view_once:
        found["view_once"] = True
    if body.delay:
        found["delay"] = body.delay
    if body.mentions:
        found["mentions"] = body.mentions
    if body.quoted is not None:
        found["quoted"] = body.quoted.model_dump()
    return found
