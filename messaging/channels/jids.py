"""JIDs: how WhatsApp names chats and people on the wire of a device.

A person is ``<digits>@s.whatsapp.net`` with the number in international form, a
group ``<15 to 25 digits>@g.us``, a newsletter ``<digits>@newsletter``. Source: the
"Conventions" page of the WUTS gateway.
"""

from __future__ import annotations

import re
from typing import Final

PERSON: Final = "@s.whatsapp.net"
GROUP: Final = "@g.us"

# Anchored by fullmatch; "[0-9]" because "\d" would let other scripts in. The number
# is as long as E.164 allows, as members' numbers are here.
_PERSON: Final = re.compile(r"[1-9][0-9]{6,14}@s\.whatsapp\.net")
_GROUP: Final = re.compile(r"[0-9]{15,25}@g\.us")
_NEWSLETTER: Final = re.compile(r"[0-9]{5,25}@newsletter")


def is_person(jid: str) -> bool:
    return _PERSON.fullmatch(jid) is not None


def is_group(jid: str) -> bool:
    return _GROUP.fullmatch(jid) is not None


def is_chat(jid: str) -> bool:
    """Tell whether a chat can have this name."""
    return is_person(jid) or is_group(jid) or _NEWSLETTER.fullmatch(jid) is not None


def phone_of(jid: str) -> str:
    """Return the number of a person as the database has it, or an empty text.

    A linked device names itself ``<digits>:<device>@s.whatsapp.net``; the number is
    the same.
    """
    local, at, server = jid.partition("@")
    person = f"{local.partition(':')[0]}{at}{server}"
    return f"+{person.removesuffix(PERSON)}" if is_person(person) else ""


def of_phone(phone: str) -> str:
    """Return the JID of a number."""
    return "".join(mark for mark in phone if mark in "0123456789") + PERSON
