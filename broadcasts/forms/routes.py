"""Routes and fallbacks: ordered rows of a template and the integration it takes.

Rows are plain fields with a number, so the order is the order on the page, an
empty row means nothing, and all of it works without JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from broadcasts.fields import RouteSpec, check_any_route, specs_of
from broadcasts.models import Broadcast, BroadcastKind, RouteRole
from broadcasts.problems import Problem
from messaging.channels.contract import ContentKind
from messaging.models import Content, Integration, IntegrationState, Organization
from messaging.models.contact import CHANNEL_NAMES

MOST_ROWS = {RouteRole.ROUTE: 5, RouteRole.FALLBACK: 3}
FIRST_ROWS = {RouteRole.ROUTE: 2, RouteRole.FALLBACK: 1}
CHOICES = 200
"""Templates or integrations that a select offers at most."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What routes may be made of, in one organization."""

    integrations: Mapping[int, Integration]
    templates: Mapping[int, Content]

    @classmethod
    def of(cls, organization: Organization, used: Iterable[RouteSpec] = ()) -> Ways:
        """Return what can be chosen; what is ``used`` stays, even if archived."""
        integrations = Integration.objects.filter(organization=organization)
        templates = Content.objects.filter(
            organization=organization, kind=ContentKind.TEMPLATE
        )
        newest = templates.filter(archived_at__isnull=True).order_by("-pk")[:CHOICES]
        found = {one.pk: one for one in newest}
        missing = {one.content_id for one in used if one.content_id} - found.keys()
        if missing:
            found |= templates.in_bulk(missing)
        return cls({one.pk: one for one in integrations[:CHOICES]}, found)

    @property
    def integration_choices(self) -> list[tuple[int | str, str]]:
        return [
            ("", "Choose an integration"),
            *((one.pk, integration_words(one)) for one in self.integrations.values()),
        ]

    @property
    def template_choices(self) -> list[tuple[int | str, str]]:
        return [
            ("", "Choose a template"),
            *((one.pk, template_words(one)) for one in self.templates.values()),
        ]


def integration_words(integration: Integration) -> str:
    name = CHANNEL_NAMES.get(integration.channel, integration.channel)  # type: ignore[call-overload]
    notes = {IntegrationState.PAUSED: ", paused", IntegrationState.OFF: ", off"}
    return f"{integration.name} ({name}{notes.get(integration.state, '')})"  # type: ignore[call-overload]


def template_words(template: Content) -> str:
    language = template.payload.get("language")
    return f"{template} ({language})" if language else str(template)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the page shows it; for a flow the template is a hidden field."""

    legend: str
    integration: BoundField
    template: BoundField


class RoutesForm(forms.Form):
    """Also the whole form behind “Edit fallbacks”.

    When it ``is_ready`` to run, nothing that a start needs may be missing. What a
    service would refuse is asked here already, so that all of it is said at once.
    """

    route_count = forms.IntegerField(required=False, widget=forms.HiddenInput)
    fallback_count = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        ways: Ways,
        source: str = BroadcastKind.TEMPLATE,
        is_ready: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ways = ways
        self.source = source
        self.is_ready = is_ready
        self.counts = {role: self._row_count(role) for role in RouteRole}
        for role, count in self.counts.items():
            for number in range(1, count + 1):
                self._add_row(role, number)

    # What is on the page

    @property
    def route_rows(self) -> list[Row]:
        return self._rows(RouteRole.ROUTE)

    @property
    def fallback_rows(self) -> list[Row]:
        return self._rows(RouteRole.FALLBACK)

    @property
    def may_add_route(self) -> bool:
        return self.counts[RouteRole.ROUTE] < MOST_ROWS[RouteRole.ROUTE]

    @property
    def may_add_fallback(self) -> bool:
        return self.counts[RouteRole.FALLBACK] < MOST_ROWS[RouteRole.FALLBACK]

    # What was chosen

    @property
    def routes(self) -> tuple[RouteSpec, ...]:
        return self._specs(RouteRole.ROUTE)

    @property
    def fallbacks(self) -> tuple[RouteSpec, ...]:
        return self._specs(RouteRole.FALLBACK)

    def clean(self) -> dict[str, Any] | None:
        for role in RouteRole:
            for number in range(1, self.counts[role] + 1):
                self._clean_row(role, number)
        if self.is_ready and not self._is_any_row_refused():
            with self.refusal_shown():
                check_any_route(self.routes)
        return self.cleaned_data

    def content_of_routes(self) -> tuple[str, Mapping[str, Any]] | None:
        """Return kind and payload of what travels on routes without a template."""
        return None

    def field_for(self, problem_field: str | None) -> str | None:
        """Return the field beside which a service's refusal is shown."""
        rows = {"routes": "route_1_integration", "fallbacks": "fallback_1_template"}
        name = rows.get(problem_field or "", problem_field)
        return name if name in self.fields else None

    @contextmanager
    def refusal_shown(self) -> Iterator[None]:
        """Put the sentence of a service that refuses beside its field."""
        try:
            yield
        except Problem as problem:
            self.add_error(self.field_for(problem.field), problem.sentence)

    # How

    def _is_any_row_refused(self) -> bool:
        return any(name.startswith(RouteRole.ROUTE) for name in self.errors)

    def _has_template(self, role: str) -> bool:
        return role == RouteRole.FALLBACK or self.source == BroadcastKind.TEMPLATE

    def _row_count(self, role: RouteRole) -> int:
        """Rows to show: those that are filled, an empty one, and what was asked."""
        values = self.data if self.is_bound else self.initial
        most = MOST_ROWS[role]
        filled = max(
            (
                number
                for number in range(1, most + 1)
                if values.get(f"{role}_{number}_integration")
                or values.get(f"{role}_{number}_template")
            ),
            default=0,
        )
        asked = str(values.get(f"{role}_count") or "")
        wanted = int(asked) if asked.isdecimal() and len(asked) < 3 else 0
        return min(max(filled, wanted, FIRST_ROWS[role]), most)

    def _add_row(self, role: RouteRole, number: int) -> None:
        self.fields[f"{role}_{number}_integration"] = forms.TypedChoiceField(
            label="Send by",
            choices=self.ways.integration_choices,
            coerce=int,
            empty_value=None,
            required=False,
        )
        self.fields[f"{role}_{number}_template"] = forms.TypedChoiceField(
            label="Template",
            choices=self.ways.template_choices,
            coerce=int,
            empty_value=None,
            required=False,
            # A flow has none; what was chosen waits unseen.
            widget=None if self._has_template(role) else forms.HiddenInput,
        )

    def _rows(self, role: RouteRole) -> list[Row]:
        names = {
            RouteRole.ROUTE: ("First route", "If the member has no address there"),
            RouteRole.FALLBACK: ("First fallback", "If that does not fit either"),
        }
        first, further = names[role]
        return [
            Row(
                first if number == 1 else further,
                self[f"{role}_{number}_integration"],
                self[f"{role}_{number}_template"],
            )
            for number in range(1, self.counts[role] + 1)
        ]

    def _clean_row(self, role: RouteRole, number: int) -> None:
        integration_name = f"{role}_{number}_integration"
        template_name = f"{role}_{number}_template"
        if {integration_name, template_name} & self.errors.keys():
            return
        integration_id = self.cleaned_data.get(integration_name)
        template_id = self._template_id(role, number)
        if self._has_template(role) and bool(integration_id) != bool(template_id):
            missing = template_name if integration_id else integration_name
            what = "a template" if integration_id else "an integration"
            self.add_error(missing, f"Choose {what}, or empty this row.")
            return
        if integration_id:
            self._refuse_what_cannot_travel(role, number, integration_id, template_id)

    def _refuse_what_cannot_travel(
        self, role: str, number: int, integration_id: int, template_id: int | None
    ) -> None:
        integration = self.ways.integrations[integration_id]
        if template_id:
            template = self.ways.templates[template_id]
            content = (template.kind, template.payload)
        else:
            content = self.content_of_routes() or ("", {})
        if not content[0]:
            return
        refusals = integration.provider.refusals(*content)
        if refusals:
            self.add_error(f"{role}_{number}_integration", refusals[0])

    def _template_id(self, role: RouteRole, number: int) -> int | None:
        chosen: int | None = self.cleaned_data.get(f"{role}_{number}_template")
        return chosen if self._has_template(role) else None

    def _specs(self, role: RouteRole) -> tuple[RouteSpec, ...]:
        rows = (
            RouteSpec(
                self.cleaned_data[f"{role}_{number}_integration"],
                self._template_id(role, number),
            )
            for number in range(1, self.counts[role] + 1)
        )
        return tuple(one for one in rows if one.integration_id)


def initial_routes(broadcast: Broadcast) -> dict[str, int | None]:
    """Return the present routes and fallbacks as values of the fields."""
    values: dict[str, int | None] = {}
    for role in RouteRole:
        for number, spec in enumerate(specs_of(broadcast, role), start=1):
            values[f"{role}_{number}_integration"] = spec.integration_id
            values[f"{role}_{number}_template"] = spec.content_id
    return values


def used_specs(broadcast: Broadcast | None) -> Sequence[RouteSpec]:
    if broadcast is None:
        return ()
    return (
        *specs_of(broadcast, RouteRole.ROUTE),
        *specs_of(broadcast, RouteRole.FALLBACK),
    )
