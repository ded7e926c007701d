"""All stand-ins together, in one event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from resend_admin.sandbox import gateway, mail, telegram, twilio, whatsapp
from resend_admin.sandbox.answers import STOPPING, json_response
from resend_admin.sandbox.control import Control
from resend_admin.sandbox.desk import Desk, Options
from resend_admin.sandbox.gateway_hook import GatewayHook
from resend_admin.sandbox.gateway_phone import Phones
from resend_admin.sandbox.hooks import Hooks
from resend_admin.sandbox.log import Log
from resend_admin.sandbox.receipts import Format, Receipts
from resend_admin.sandbox.switches import Switches
from resend_admin.sandbox.whatsapp_hook import WhatsAppHook

HOST = "127.0.0.1"
LARGEST_BODY = 32 * 1024 * 1024

VOCABULARIES = {
    module.CHANNEL: module.VOCABULARY
    for module in (whatsapp, gateway, telegram, twilio, mail)
}


class Server:
    """The running stand-ins. Everything happens in the loop that started it."""

    def __init__(self, log_path: Path, options: Options, hooks_url: str = "") -> None:
        self.log_path = log_path
        self._log = Log(log_path)
        hooks = self._hooks = Hooks(
            log_path.with_name(log_path.name + ".hooks.json"), hooks_url
        )
        switches = Switches(options.seed)
        meta_hook, twilio_hook = WhatsAppHook(), twilio.TwilioHook()
        gateway_hook = GatewayHook()
        formats: dict[str, Format] = {
            whatsapp.CHANNEL: meta_hook,
            gateway.CHANNEL: gateway_hook,
            twilio.CHANNEL: twilio_hook,
        }
        self._receipts = Receipts(hooks, self._log, formats, options.seed)
        self._desk = Desk(self._log, self._receipts, switches, VOCABULARIES, options)
        self._mail = mail.Mail(self._desk, switches)
        telegrams = telegram.Telegram(self._desk, hooks)
        self._phones = Phones(
            hooks, self._log, self._receipts, switches, gateway.VOCABULARY, options
        )
        self.control = Control(
            log_path=log_path,
            hooks=hooks,
            switches=switches,
            receipts=self._receipts,
            formats=formats,
            inboxes={
                whatsapp.CHANNEL: meta_hook,
                gateway.CHANNEL: gateway_hook,
                twilio.CHANNEL: twilio_hook,
                telegram.CHANNEL: telegrams,
            },
            vocabularies=VOCABULARIES,
            phones=self._phones,
        )
        self._providers = (
            whatsapp.WhatsApp(self._desk),
            gateway.Gateway(self._desk, self._phones),
            twilio.Twilio(self._desk, hooks),
            telegrams,
        )
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self.port = 0
        self.smtp_port = 0

    async def start(self, port: int = 0, smtp_port: int = 0) -> None:
        """Listen on 127.0.0.1 (0: any free port). Raises OSError if taken."""
        self._desk.resume(self._hooks.moved)
        app = web.Application(client_max_size=LARGEST_BODY)
        app[STOPPING] = self._stopping
        for provider in self._providers:
            app.add_routes(provider.routes())
        app.add_routes(self.control.routes())
        app.router.add_get("/healthz", self._healthz)
        # A caller who hangs up ends the wait of a hanging request.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.smtp_port = await self._mail.start(smtp_port)

    async def stop(self) -> None:
        self._stopping.set()
        await self._mail.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._phones.close()
        await self._receipts.close()
        self._log.close()

    async def _healthz(self, request: web.Request) -> web.Response:
        return json_response(200, {"status": "ok", "smtp_port": self.smtp_port})
