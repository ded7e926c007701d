"""Where each account wants its receipts, and what they are signed with."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

KINDS = {
    "whatsapp": "whatsapp",
    "gateway": "gateway",
    "telegram": "telegram",
    "twilio": "sms",
}
"""The kinds that can be registered, and the channel of each."""


@dataclass(frozen=True, slots=True)
class Hook:
    """The address of one account.

    ``account`` is the phone number id, the device id, the account SID, or the
    number that a bot token begins with. ``secret`` is the app secret, the webhook
    secret, the auth token or the secret token. ``sender`` is the number that inbound
    messages are addressed to.
    """

    channel: str
    account: str
    url: str
    secret: str
    sender: str = ""


class Hooks:
    """All registered hooks, kept in a file so that a restart knows them."""

    def __init__(self, path: Path, base: str = "") -> None:
        self._path = path
        self._base = base.rstrip("/")
        self._hooks: dict[tuple[str, str], Hook] = {}
        if path.exists():
            for fields in json.loads(path.read_text()):
                hook = Hook(**{**fields, "url": self.moved(fields["url"])})
                self._hooks[hook.channel, hook.account] = hook

    def moved(self, url: str) -> str:
        """Return a remembered address as it is in this run.

        The application may listen on another port than last time; the last
        segment of the path, and the query, stay.
        """
        if not self._base or not url:
            return url
        path, mark, query = url.partition("?")
        return f"{self._base}/{path.rpartition('/')[2]}{mark}{query}"

    def register(self, hook: Hook) -> None:
        key = hook.channel, hook.account
        if self._hooks.get(key) == hook:
            return
        # The last registered hook is the last one in the file, too.
        self._hooks.pop(key, None)
        self._hooks[key] = hook
        self._save()

    def find(self, channel: str, account: str) -> Hook | None:
        return self._hooks.get((channel, account))

    def latest(self, channel: str) -> Hook | None:
        """Return the hook of this channel that was registered last."""
        found = [hook for hook in self._hooks.values() if hook.channel == channel]
        return found[-1] if found else None

    def _save(self) -> None:
        text = json.dumps([asdict(hook) for hook in self._hooks.values()], indent=1)
        draft = self._path.with_name(self._path.name + ".new")
        # The file holds secrets: nobody else may read it, not even for a moment.
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as stream:
            stream.write(text)
        draft.replace(self._path)
