"""Who may see and do what: every page and program is let in through here.

People and API clients are asked the same question, :func:`may`, and nobody else
decides. A role of a person is a word for such rights.

Another organization's row is "not found", never "not allowed", so that an id
tells nothing to a stranger. A role that does not suffice is told so in words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from messaging.models import ApiClient, Organization, Right, Role, User

Row = TypeVar("Row", bound=Model)
Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]

RIGHT_OF_ROLE = {
    Role.AGENT.value: Right.READ,
    Role.EDITOR.value: Right.WRITE,
    Role.ADMIN.value: Right.MANAGE,
}
"""What a page asks for when it names a role."""

LARGEST_ID = 2**63 - 1


def may(actor: User | ApiClient, right: Right, organization_id: int | None) -> bool:
    """Tell whether a person or program may do this in that organization.

    The one decision behind pages, REST and GraphQL. In another organization than
    their own nobody may do anything, nor may operators, who belong to none.
    """
    if organization_id is None or actor.organization_id != organization_id:
        return False
    return actor.holds(right)


class RightsBackend(ModelBackend):
    """Answers ``has_perm`` with the rights of the role, and nothing else.

    Operators have every permission, as Django has it for superusers.
    """

    def get_user(self, user_id: Any) -> User | None:
        """Return who is signed in, with the organization, which every page asks for."""
        person = User.objects.select_related("organization").filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if obj is not None or not isinstance(user_obj, User):
            return set()
        if not may(user_obj, Right.READ, user_obj.organization_id):
            return set()
        return {f"messaging.{one}" for one in user_obj.rights}

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_group_permissions(user_obj, obj)


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
    """Tell whether the person may do what this role stands for."""
    return may(person, RIGHT_OF_ROLE[role.value], person.organization_id)


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
    """Let in whoever may see the communications of their organization."""
    return role_required(Role.AGENT)(view)


def role_required(role: Role) -> Callable[[View[Params]], View[Params]]:
    """Let in people who may do what this role may, in their organization.

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
    person = person_of(request)
    context = {
        "role": role.value,
        "own_role": person.role,
        "sees_nothing": not person.may_read,
    }
    return render(request, "messaging/forbidden.html", context, status=403)


def _without_organization(request: HttpRequest) -> HttpResponse:
    return render(request, "messaging/no_organization.html", status=403)
