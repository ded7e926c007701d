"""One function per provider that sends the way its clients do."""

from __future__ import annotations

import base64
import json
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlencode

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import PATIENCE, Answer, call

NUMBER_ID = "555010"
ACCOUNT_SID = "AC" + "1" * 32
AUTH_TOKEN = "auth-token"
BOT = "4242"


def whatsapp(
    sandbox: Sandbox,
    to: str,
    *,
    text: str = "Hello",
    reference: str = "7:0",
    token: str = "token",
    timeout: float = PATIENCE,
    more: Mapping[str, Any] | None = None,
) -> Answer:
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "text",
        "text": {"body": text},
        "biz_opaque_callback_data": reference,
    }
    return call(
        "POST",
        f"{sandbox.base_url('whatsapp_cloud')}/{NUMBER_ID}/messages",
        body=json.dumps({**body, **(more or {})}).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        },
        timeout=timeout,
    )


def sms(
    sandbox: Sandbox,
    to: str,
    *,
    text: str = "Hello",
    callback: str = "",
    token: str = AUTH_TOKEN,
    timeout: float = PATIENCE,
    more: Mapping[str, str] | None = None,
) -> Answer:
    form = {"To": to, "From": "+15550100737", "Body": text}
    if callback:
        form["StatusCallback"] = callback
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{token}".encode()).decode()
    return call(
        "POST",
        f"{sandbox.base_url('twilio')}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json",
        body=urlencode({**form, **(more or {})}).encode(),
        headers={
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout=timeout,
    )


def telegram(
    sandbox: Sandbox,
    chat_id: str | int,
    *,
    method: str = "sendMessage",
    token: str = f"{BOT}:secret",
    reference: str = "7:0",
    timeout: float = PATIENCE,
    **fields: Any,
) -> Answer:
    body = {"chat_id": chat_id, **(fields or {"text": "Hello"})}
    return call(
        "POST",
        f"{sandbox.base_url('telegram_bot')}/bot{quote(token)}/{method}",
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-Request-Id": reference},
        timeout=timeout,
    )


def mail(
    sandbox: Sandbox,
    to: str,
    *,
    text: str = "Hello",
    reference: str = "7:0",
    password: str = "",
    timeout: float = PATIENCE,
) -> None:
    """Send one mail; raises what smtplib raises."""
    message = EmailMessage()
    message["From"] = "shop@example.org"
    message["To"] = to
    message["Subject"] = "News"
    message["X-Resend-Admin-Reference"] = reference
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=timeout) as server:
        if password:
            server.login("shop", password)
        server.send_message(message)
