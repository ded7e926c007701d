"""Where people try out ``/graphql`` without scripts: a question, its answer, and the
schema to read, all of it made here."""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from broadcasts.graphql import errors
from broadcasts.graphql.context import Caller
from broadcasts.graphql.examples import (
    EXAMPLES,
    Example,
    broadcast_to_ask_about,
)
from broadcasts.graphql.execution import Asked, Told, execute
from broadcasts.graphql.limits import MOST_CHARACTERS
from broadcasts.graphql.reference import reference
from broadcasts.problems import Problem
from messaging.access import organization_of, person_of, require_organization
from messaging.api.bodies import read_json
from messaging.api.problems import Problem as Refusal
from messaging.api.problems import request_id

TOKENS: Final = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)|(?P<other>[^\"\w-]+|.)",
    re.DOTALL,
)
LONGEST_COLOURED: Final = 200_000
"""Longer answers are shown in one colour."""


class QuestionForm(forms.Form):
    query = forms.CharField(
        label="Query",
        max_length=MOST_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
    )
    variables = forms.CharField(
        label="Variables",
        required=False,
        strip=False,
        help_text="A JSON object.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question, for the page."""

    told: Told
    milliseconds: int
    text: str = field(init=False)

    def __post_init__(self) -> None:
        text = json.dumps(self.told.body, ensure_ascii=False, indent=2)
        object.__setattr__(self, "text", text)

    @property
    def tone(self) -> str:
        return "bad" if "errors" in self.told.body else "ok"

    @property
    def icon(self) -> str:
        return "cross" if self.tone == "bad" else "check"

    @property
    def word(self) -> str:
        """``200 OK``; what went wrong comes with the same status, in words."""
        status = f"{self.told.status.value} {self.told.status.phrase}"
        number = len(self.told.body.get("errors", ()))
        if not number:
            return status
        return f"{status}, {number} error{'' if number == 1 else 's'}"

    @property
    def html(self) -> SafeString:
        """The answer with its names, texts, numbers and words told apart."""
        if len(self.text) > LONGEST_COLOURED:
            return format_html_join("", "{}", [(self.text,)])
        return format_html_join(
            "",
            '<span class="json-{}">{}</span>',
            ((one.lastgroup, one.group()) for one in TOKENS.finditer(self.text)),
        )


@require_http_methods(["GET", "POST"])
@require_organization
def explorer_plain(request: HttpRequest) -> HttpResponse:
    """Show an example, or the answer to what was asked."""
    chosen = _example(request.GET.get("example", ""))
    answer: Answer | None = None
    if request.method == "POST":
        form = QuestionForm(request.POST)
        if form.is_valid():
            answer = _answered(request, form.cleaned_data)
    else:
        form = QuestionForm(initial=_typed(request, chosen))
    context = {
        "form": form,
        "answer": answer,
        "examples": EXAMPLES,
        "chosen": chosen.name if request.method == "GET" else "",
        "reference": reference(),
        "curl": _curl(form) if form.is_bound and form.is_valid() else "",
        "docs_url": reverse("api:openapi-view"),
        "trail": [("GraphQL", reverse("graphql-explorer"))],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "broadcasts/explorer_plain.html", context, status=status)


def _example(name: str) -> Example:
    return next((one for one in EXAMPLES if one.name == name), EXAMPLES[0])


def _typed(request: HttpRequest, example: Example) -> dict[str, str]:
    number = broadcast_to_ask_about(organization_of(request))
    return {"query": example.query, "variables": example.variables(number)}


def _answered(request: HttpRequest, typed: dict[str, str]) -> Answer:
    began = time.perf_counter()
    told = _told(request, typed)
    return Answer(told, round((time.perf_counter() - began) * 1000))


def _told(request: HttpRequest, typed: dict[str, str]) -> Told:
    try:
        variables = _variables(typed["variables"])
        asked = Asked.of({"query": typed["query"], "variables": variables})
        caller = Caller(request, organization_of(request), person=person_of(request))
        return execute(caller, asked)
    except Refusal as refusal:
        body = errors.envelope(refusal, request_id(request))
        return Told(HTTPStatus(refusal.status), body)
    except Problem as problem:
        return Told(HTTPStatus.BAD_REQUEST, {"errors": [errors.refused(problem)]})
    except errors.Misread as misread:
        return Told(HTTPStatus.BAD_REQUEST, errors.misread(misread))


def _variables(typed: str) -> Any:
    return read_json(typed.encode(errors="surrogatepass")) if typed.strip() else None


def _curl(form: QuestionForm) -> str:
    """Return the same question as a program would put it."""
    try:
        variables = _variables(form.cleaned_data["variables"])
    except Refusal:
        return ""
    body = {"query": " ".join(form.cleaned_data["query"].split())}
    if variables:
        body["variables"] = variables
    address = f"{settings.PUBLIC_URL}{reverse('graphql')}"
    return (
        f"curl {shlex.quote(address)} \\\n"
        "  -H 'Authorization: Bearer YOUR-TOKEN' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )
