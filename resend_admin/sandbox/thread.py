"""The sandbox inside a test: the same servers, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from resend_admin.sandbox.control import Control
from resend_admin.sandbox.desk import Options
from resend_admin.sandbox.log import (
    Ask,
    Entry,
    Notice,
    read,
    read_asks,
    read_notices,
)
from resend_admin.sandbox.server import HOST, Server
from resend_admin.sandbox.switches import ALL, Fault, ReceiptMode

Result = TypeVar("Result")

PATIENCE = 30.0
"""Seconds after which a call into the thread has certainly gone wrong."""

PATHS = {
    "whatsapp_cloud": "/whatsapp/v23.0",
    "device_gateway": "/gateway",
    "telegram_bot": "/telegram",
    "twilio": "/twilio",
}


class LoopThread:
    """An event loop that runs in a thread of its own until it is ended."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=name, daemon=True
        )
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine there and wait for its result."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(PATIENCE)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


class Sandbox:
    """Starts on entry, stops on exit, and may be started again.

    ``log``: the file of the log, which outlives the sandbox; a temporary one if
    none is given. Ordinary numbers never fail unless ``failure_rate`` says so.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        log: Path | str | None = None,
        port: int = 0,
        smtp_port: int = 0,
        failure_rate: float = 0.0,
        delivery_delay: float = 0.05,
        pace: float = 1.0,
    ) -> None:
        self._options = Options(
            seed=seed,
            failure_rate=failure_rate,
            delivery_delay=delivery_delay,
            pace=pace,
        )
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if log is None:
            self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
            log = Path(self._folder.name) / "sandbox.jsonl"
        self.log = Path(log)
        self.port = port
        self.smtp_port = smtp_port
        self._running: tuple[LoopThread, Server] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def base_url(self, kind: str) -> str:
        """Return the ``base_url`` setting of an integration of this kind."""
        return self.url + PATHS[kind]

    def start(self) -> Self:
        """Start; a second start uses the ports of the first."""
        thread = LoopThread("sandbox")
        try:
            server = thread.run(self._start())
        except BaseException:
            thread.end()
            raise
        self._running = thread, server
        self.port, self.smtp_port = server.port, server.smtp_port
        return self

    async def _start(self) -> Server:
        server = Server(self.log, self._options)
        try:
            await server.start(self.port, self.smtp_port)
        except OSError:
            await server.stop()
            raise
        return server

    def stop(self) -> None:
        if self._running is not None:
            thread, server = self._running
            self._running = None
            thread.run(server.stop())
            thread.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def entries(self) -> list[Entry]:
        """Return every request, accepted or refused, oldest first."""
        return read(self.log)

    def accepted(self, channel: str | None = None) -> list[Entry]:
        """Return every accepted message, oldest first."""
        return [
            entry
            for entry in read(self.log)
            if entry.accepted and channel in (None, entry.channel)
        ]

    def notices(self) -> list[Notice]:
        """Return every receipt that was posted or dropped, oldest first."""
        return read_notices(self.log)

    def asks(self, verb: str = "retry") -> list[Ask]:
        """Return what devices were asked for besides sending, oldest first."""
        return [ask for ask in read_asks(self.log) if ask.verb == verb]

    def wait_for_receipts(self, count: int) -> list[Notice]:
        """Wait until so many receipts were posted or dropped, and return all."""
        deadline = time.monotonic() + PATIENCE
        while len(notices := self.notices()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Only {len(notices)} of {count} receipts left.")
            time.sleep(0.01)
        return notices

    def register_hook(
        self, kind: str, account: str, url: str, secret: str, *, sender: str = ""
    ) -> None:
        """Tell where receipts go. ``kind``: whatsapp, gateway, telegram, twilio."""
        fields = {
            "kind": kind,
            "account": account,
            "url": url,
            "secret": secret,
            "sender": sender,
        }
        self._tell(lambda control: _at_once(control.register_hook, fields))

    def behave(
        self,
        fault: Fault | str | None = None,
        *,
        channel: str = ALL,
        times: int | None = None,
        seconds: float = 1.0,
        retry_after: float = 1.0,
        share: float = 1.0,
        accepting: bool = True,
        receipts: ReceiptMode | str | None = None,
    ) -> None:
        """Switch a fault on; see :class:`~resend_admin.sandbox.switches.Switch`."""
        fields = {
            "fault": fault,
            "channel": channel,
            "times": times,
            "seconds": seconds,
            "retry_after": retry_after,
            "share": share,
            "accepting": accepting,
            "receipts": receipts,
        }
        self._tell(lambda control: _at_once(control.behave, fields))

    def reset(self, channel: str = ALL) -> None:
        """Switch all faults off and post the receipts that were held."""
        fields = {"reset": True, "channel": channel}
        self._tell(lambda control: _at_once(control.behave, fields))

    def post_receipt(
        self, provider_id: str, status: str = "delivered", code: str | None = None
    ) -> int:
        """Post one receipt by hand and return the HTTP status of the answer."""
        fields = {"provider_id": provider_id, "status": status, "code": code}
        return self._tell(lambda control: control.post_receipt(fields))

    def inbound(
        self, channel: str, sender: str, text: str, *, account: str | None = None
    ) -> int:
        """Post what a member wrote and return the HTTP status of the answer."""
        fields = {"channel": channel, "from": sender, "text": text, "account": account}
        return self._tell(lambda control: control.inbound(fields))

    def phone(
        self,
        *,
        account: str = "",
        connected: bool = True,
        linked: bool = True,
        recovers: bool = True,
    ) -> None:
        """Set how a device of the gateway behaves."""
        fields = {
            "account": account,
            "connected": connected,
            "linked": linked,
            "recovers": recovers,
        }
        self._tell(lambda control: _at_once(control.set_phone, fields))

    def undecryptable(
        self,
        sender: str,
        *,
        message_id: str,
        text: str = "Hello!",
        chat: str = "",
        account: str = "",
    ) -> int:
        """Post that a message cannot be read; return the HTTP status of the answer."""
        fields = {
            "from": sender,
            "message_id": message_id,
            "text": text,
            "chat": chat,
            "account": account,
        }
        return self._tell(lambda control: control.undecryptable(fields))

    def _tell(self, act: Callable[[Control], Awaitable[Result]]) -> Result:
        """Do something with the control, in the sandbox's own thread."""
        if self._running is None:
            raise RuntimeError("The sandbox is not running.")
        thread, server = self._running

        async def told() -> Result:
            return await act(server.control)

        return thread.run(told())


async def _at_once(
    function: Callable[[Mapping[str, Any]], object], fields: Mapping[str, Any]
) -> None:
    function(fields)
