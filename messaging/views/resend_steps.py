"""Sending one message again: what is asked, and what is done with the answers.

Shared by the dialog of the pages and by the embedded tab, which differ in who asks
and in how the outcome is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from messaging import follow_up, media, policy, resend
from messaging.channels.contract import ContentKind
from messaging.models import Content, Message
from messaging.offers import Offer, Question, offer_of, templates_for
from messaging.resend_forms import ResendForm, link_of
from messaging.sending import Asker, Outcome, Refusal, Refused
from messaging.views.pause_words import pause_in_words
from messaging.views.shown_content import title_of

OF_THE_TIME = {
    Refusal.TIME_PAST,
    Refusal.TIME_TOO_SOON,
    policy.Reason.TOO_OLD_BY_THEN,
}
"""Refusals that stand beside the field of the time."""
OVERTAKEN = (
    "Somebody sent this message again while you were looking. Close this and look at"
    " the latest attempt."
)


@dataclass(frozen=True, slots=True)
class ResendStep:
    """One message, what may be done with it, and what its person must settle."""

    message: Message
    offer: Offer
    templates: list[Content] = field(default_factory=list)

    @classmethod
    def of(cls, message: Message) -> ResendStep:
        offer = offer_of(message)
        asks = {Question.OPENER, Question.REPLACEMENT}
        templates = templates_for(message) if offer.question in asks else []
        return cls(message, offer, templates)

    @property
    def reason_off(self) -> str:
        """Why nothing can be confirmed at all; empty when it can."""
        if self.offer.copy:
            return "This message was delivered. Send a copy instead."
        if self.offer.is_open and self.is_opener and not self.templates:
            return (
                "There is no template that this integration accepts. Ask an admin to"
                " add one."
            )
        return self.offer.reason

    @property
    def is_opener(self) -> bool:
        """Whether a template goes first, and the message after an answer."""
        return self.offer.question is Question.OPENER

    def context(self, form: ResendForm) -> dict[str, Any]:
        """Return what the dialog and the embedded form have in common."""
        standing = self.offer.standing
        return {
            "message": self.message,
            "title": title_of(self.message),
            "form": form,
            "question": self.offer.question.value,
            "error": standing.error,
            "resends": standing.resends,
            "limit": standing.limit,
            "dialog_off": self.reason_off,
            "paused": pause_in_words(self.message.integration),
            "link_before": link_of(self.message),
        }

    def form(self, data: Mapping[str, str] | None = None) -> ResendForm:
        return ResendForm(
            data, message=self.message, offer=self.offer, templates=self.templates
        )

    def confirmed(self, form: ResendForm, asker: Asker) -> Outcome | HTTPStatus:
        """Do what the form says, if it is valid and still true.

        Else return the status of the refusal; its sentence is shown with the form.
        """
        if self.reason_off:
            # It stands beside the button already, which is off.
            return HTTPStatus.CONFLICT
        if not form.is_valid():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        if form.cleaned_data["shown_attempts"] != self.message.attempt_count:
            return _refused(form, OVERTAKEN)
        try:
            outcome = self._outcome(form, asker)
        except media.MediaError as error:
            form.add_error("link", str(error))
            return HTTPStatus.UNPROCESSABLE_ENTITY
        if not isinstance(outcome, Refused):
            return outcome
        if outcome.code in OF_THE_TIME and "at" in form.fields:
            form.add_error("at", outcome.sentence)
            return HTTPStatus.UNPROCESSABLE_ENTITY
        return _refused(form, outcome.sentence)

    def _outcome(self, form: ResendForm, asker: Asker) -> Outcome:
        template = form.chosen_template
        if self.is_opener and template is not None:
            return follow_up.open_window(self.message, template, asker)
        wish = resend.Wish(
            at=form.cleaned_data.get("at"),
            accepts_duplicate=self.offer.question is Question.DUPLICATE,
            fixed=self.offer.question in {Question.FIXED, Question.LINK},
            content=template or self._mended(form),
        )
        return resend.resend(self.message, asker, wish)

    def _mended(self, form: ResendForm) -> Content | None:
        """Return what goes out instead; nothing when the link is as it was."""
        content = self.message.amended_content or self.message.content
        if self.offer.question is not Question.LINK or content is None:
            return None
        link = form.cleaned_data["link"]
        if link == link_of(self.message):
            media.check(link, ContentKind(content.kind))
            return None
        return media.with_new_link(content, link)


def _refused(form: ResendForm, sentence: str) -> HTTPStatus:
    form.add_error(None, sentence)
    return HTTPStatus.CONFLICT
