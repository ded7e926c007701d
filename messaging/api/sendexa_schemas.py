"""Requests and answers of ``/v1/whatsapp``.

Their names and nesting are the vendor's: its "Send", "Resend" and "Status"
pages, and for what is inside a type its official clients, which follow Meta's
Cloud API. ``scheduleAt``, ``reason``, ``acceptDuplicate`` and ``mediaUrl`` are
our own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from messaging.api.schemas import Moment, Reply, Request

Status = Literal["pending", "sent", "delivered", "read", "failed"]
Kind = Literal["text", "image", "video", "audio", "document", "interactive", "template"]


class ResendWish(Request):
    """What may be wished beyond "again, now"; all of it optional."""

    schedule_at: Moment | None = Field(
        None, description="Send it then. ISO 8601 with a zone."
    )
    reason: str = Field("", max_length=300, description="Kept on the attempt.")
    accept_duplicate: bool = Field(
        False, description="Resend a message whose outcome is unknown."
    )
    media_url: str | None = Field(
        None,
        max_length=2000,
        description="A working link; the original stays as it was.",
    )


class ResendByBody(ResendWish):
    message_id: str = Field(
        max_length=100, description="The id of a message, or of an attempt of it."
    )


class ResendByPath(ResendWish):
    message_id: str | None = Field(
        None, max_length=100, description="If given, the id that the path has."
    )


class Text(Request):
    body: str
    preview_url: bool = Field(
        False, alias="preview_url", description="Previews are not made: leave it false."
    )


class Media(Request):
    link: str = Field(max_length=2000)
    caption: str = ""


class Audio(Request):
    link: str = Field(max_length=2000)


class Document(Media):
    filename: str = Field("", max_length=240)


class Words(Request):
    text: str


class Choice(Request):
    id: str
    title: str


class Button(Request):
    type: Literal["reply"]
    reply: Choice


class Row(Choice):
    description: str = ""


class Section(Request):
    rows: list[Row]


class Action(Request):
    buttons: list[Button] | None = None
    button: str | None = Field(None, description="What opens the list.")
    sections: Annotated[list[Section], Field(min_length=1, max_length=1)] | None = None


class Interactive(Request):
    type: Literal["button", "list"]
    body: Words
    action: Action


class Language(Request):
    code: str = Field(max_length=20)


class Parameter(Request):
    type: Literal["text"]
    text: str = Field(min_length=1, max_length=1024)


class Component(Request):
    type: Literal["body"]
    parameters: list[Parameter]


class Template(Request):
    name: str = Field(max_length=512)
    language: Language
    components: list[Component] = Field(default=[], max_length=1)


class Send(Request):
    """``to``, ``type``, and one object that is named like the type."""

    to: str = Field(max_length=20, description="Digits, with or without a plus.")
    type: Kind
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Audio | None = None
    document: Document | None = None
    interactive: Interactive | None = None
    template: Template | None = None


class ResentData(Reply):
    message_id: str
    original_message_id: str
    status: Status
    to: str
    resend_attempt: int
    cost: int
    delivered_at: datetime | None


class Resent(Reply):
    success: Literal[True]
    message: str
    data: ResentData


class ScheduledData(Reply):
    message_id: str
    original_message_id: str
    status: Literal["pending"]
    to: str
    resend_attempt: int
    cost: int
    scheduled_for: datetime


class ResendScheduled(Reply):
    success: Literal[True]
    message: str
    data: ScheduledData


class SentData(Reply):
    id: str | None
    message_id: str
    status: Status
    to: str
    type: str
    cost: int
    timestamp: datetime


class MessageSent(Reply):
    success: Literal[True]
    message: str
    data: SentData


class Failure(Reply):
    code: str
    reason: str
    resolution: str


class StatusData(Reply):
    message_id: str
    wamid: str | None
    status: Status
    to: str
    type: str
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    cost: int
    error: Failure | None = Field(None, description="Only there when it failed.")


class MessageStatus(Reply):
    success: Literal[True]
    message: str
    data: StatusData


class Wrong(Reply):
    field: str
    message: str


class Refusal(Reply):
    """Every answer that is not a success."""

    success: Literal[False]
    message: str
    code: str
    errors: list[Wrong]
    request_id: str
