"""Who may see and do what: every page fetches and authorises through here.

Another organization's row is "not found", never "not allowed", so that an id
tells nothing to a stranger. A role that does not suffice is told so in words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from messaging.models import Organization, Role, User

Row = TypeVar("Row", bound=Model)
Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]

RANK = {Role.AGENT.value: 0, Role.EDITOR.value: 1, Role.ADMIN.value: 2}
"""Each role may do all that the roles below it may."""

LARGEST_ID = 2**63 - 1


def person_of(request: HttpRequest) -> User:
    """Return who is signed in. Only for views behind the log-in."""
    if not isinstance(request.user, User):
        message = "This view is open to strangers, so there is no person to return."
        raise TypeError(message)
    return request.user


def organization_of(request: HttpRequest) -> Organization:
    """Return the organization of the person. Only behind a decorator of this file."""
    organization = person_of(request).organization
    if organization is None:
        message = "Put @require_organization or @role_required on this view."
        raise TypeError(message)
    return organization


def has_role(person: User, role: Role) -> bool:
    """Tell whether the person has this role or one above it."""
    return RANK.get(person.role, -1) >= RANK[role.value]


def own_or_404(
    request: HttpRequest, rows: type[Row] | QuerySet[Row], pk: int, /
) -> Row:
    """Return one row of the person's own organization, else raise ``Http404``.

    The model needs a column ``organization``.
    """
    queryset = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    own = queryset.filter(organization=organization_of(request))
    if pk > LARGEST_ID:
        own = own.none()
    return get_object_or_404(own, pk=pk)


def require_organization(view: View[Params]) -> View[Params]:
    """Let in anybody who belongs to an organization, whatever their role."""
    return role_required(Role.AGENT)(view)


def role_required(role: Role) -> Callable[[View[Params]], View[Params]]:
    """Let in people of an organization with this role or one above it.

    Operators, who belong to none, get a page that shows them the way; a role
    that does not suffice gets 403 and a sentence.
    """

    def decorate(view: View[Params]) -> View[Params]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            person = person_of(request)
            if person.organization_id is None:
                return _without_organization(request)
            if not has_role(person, role):
                return forbidden(request, role)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def forbidden(request: HttpRequest, role: Role) -> HttpResponse:
    """Answer 403 and say which role it takes."""
    context = {"role": role.value, "own_role": person_of(request).role}
    return render(request, "messaging/forbidden.html", context, status=403)


def _without_organization(request: HttpRequest) -> HttpResponse:
    return render(request, "messaging/no_organization.html", status=403)
