"""What a page answers when a service refuses."""

from __future__ import annotations

from http import HTTPStatus

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from broadcasts.problems import Problem, ProblemCode

STATUSES = {
    ProblemCode.BAD_USER_INPUT: HTTPStatus.UNPROCESSABLE_ENTITY,
    ProblemCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ProblemCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ProblemCode.QUOTA_EXCEEDED: HTTPStatus.CONFLICT,
    ProblemCode.CONFLICT: HTTPStatus.CONFLICT,
}


def status_of(problem: Problem) -> HTTPStatus:
    return STATUSES[problem.code]


def show(problem: Problem, form: forms.BaseForm) -> HTTPStatus:
    """Put the sentence beside its field, or above the form; return the status."""
    field = problem.field if problem.field in form.fields else None
    form.add_error(field, problem.sentence)
    return status_of(problem)


def refused(request: HttpRequest, problem: Problem, back: str) -> HttpResponse:
    """Answer a refusal with a page of its own, for buttons without a form."""
    context = {"sentence": problem.sentence, "back": back}
    return render(
        request, "broadcasts/refused.html", context, status=status_of(problem)
    )
