"""Django admin for two kinds of people, and nothing across organizations.

Operators (superusers without organization) see everything. Managers (staff with
the role admin) see the rows of their own organization, in lists, forms,
autocomplete, history and by URL; another organization's id is "not found".
Everybody else finds nothing here. What a person may do comes from their role alone
(see :mod:`messaging.models.rights`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet, URLField
from django.http import Http404, HttpRequest
from django.urls import reverse

from messaging import trail
from messaging.admin.audit_words import changes_of, organization_id_of
from messaging.admin.paginator import (
    LookAheadPaginator,
    UncountedChangeList,
    asked_page,
)
from messaging.models import AuditKind, Organization, User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    ModelForm = forms.ModelForm


def is_operator(request: HttpRequest) -> bool:
    person = request.user
    return (
        isinstance(person, User)
        and person.is_active
        and person.is_superuser
        and person.organization_id is None
    )


def managed_id(request: HttpRequest) -> int | None:
    """Return the organization that this person manages, if any."""
    person = request.user
    if not isinstance(person, User) or not (person.is_active and person.is_staff):
        return None
    return person.organization_id if person.may_manage else None


def seen_organization_ids(request: HttpRequest) -> list[int]:
    """Return the organizations that this person may look into."""
    if is_operator(request):
        return list(Organization.objects.values_list("pk", flat=True))
    organization_id = managed_id(request)
    return [] if organization_id is None else [organization_id]


class TenantForm(ModelForm):
    """Checks what must be unique per organization, also where it is not editable."""

    def validate_constraints(self) -> None:
        meta = self._meta.model._meta
        hidden = {field.name for field in meta.fields} - set(self.fields)
        exclude = (hidden | set(self.errors)) - {"organization"}
        try:
            self.instance.validate_constraints(exclude=exclude)
        except ValidationError as error:
            self.add_error(None, ValidationError(error.messages))


class OwnRowsOnly:
    """Offers, and accepts, only what this person may see of another model.

    The other model's own admin decides that, so it must be registered.
    """

    admin_site: admin.AdminSite

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        other = self.admin_site.get_model_admin(db_field.remote_field.model)
        return other.get_queryset(request)


class TenantAdmin(OwnRowsOnly, ModelAdmin):
    """Shows a person their own organization's rows and no others.

    ``organization_path`` leads from the model to its organization, empty for
    models that only operators may see. Without ``managers_may_change`` managers
    can look and no more; nobody deletes anything without ``may_delete``.
    """

    organization_path: ClassVar[str] = "organization"
    managers_may_add: ClassVar[bool] = False
    managers_may_change: ClassVar[bool] = False
    operators_may_write: ClassVar[bool] = True
    may_delete: ClassVar[bool] = False

    audit_kind: ClassVar[AuditKind] = AuditKind.OTHER
    """Under which heading the audit trail tells what is done here."""
    audit_hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields of which the trail says that they were changed, and no more: what is
    written to people, and how they are reached."""

    form: type[ModelForm] = TenantForm
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False

    # Rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if is_operator(request):
            return rows
        organization_id = managed_id(request)
        if organization_id is None or not self.organization_path:
            return rows.none()
        return rows.filter(**{self.organization_path: organization_id})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row, else raise ``Http404``: Django would tell the id is wrong."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    # Permissions

    def _may(self, request: HttpRequest, *, managers: bool) -> bool:
        if is_operator(request):
            return self.operators_may_write
        return managers and managed_id(request) is not None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        if is_operator(request):
            return True
        return bool(self.organization_path) and managed_id(request) is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, managers=self.managers_may_add)

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._may(request, managers=self.managers_may_change)

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self.may_delete and self.has_change_permission(request, obj)

    # Forms

    def get_form(
        self,
        request: HttpRequest,
        obj: Any | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        """Fix the organization: a row never moves, a manager has only one.

        A switched-off field ignores what is posted and keeps its first value.
        """
        form = super().get_form(request, obj, change=change, **kwargs)
        field = form.base_fields.get("organization")
        if field is not None and obj is not None:
            field.disabled = True
        elif field is not None and not is_operator(request):
            field.initial = managed_id(request)
            field.disabled = True
        return form

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Leave out the links that add or change the other row from here."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field.widget, "can_add_related"):
            field.widget.can_add_related = False
            field.widget.can_change_related = False
            field.widget.can_delete_related = False
            field.widget.can_view_related = False
        return field

    # The audit trail: Django calls these within the transaction of the change.

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Keep what was changed for the line of the trail that is about to follow."""
        changes = changes_of(form, self.audit_hidden)
        for formset in formsets or ():
            for one in formset.initial_forms + formset.extra_forms:
                changes += changes_of(one) if one.has_changed() else []
        request.audited_changes = changes  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "Added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "Changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        rows = list(queryset)
        if len(rows) > 1:
            self.record_many(request, rows, "Deleted")
        for one in rows if len(rows) == 1 else ():
            self._record(request, one, "Deleted", [])
        return super().log_deletions(request, queryset)

    def record_many(self, request: HttpRequest, rows: Sequence[Any], verb: str) -> None:
        """Tell of one action on many rows: a line for each organization they are of."""
        owners = Counter(
            organization_id_of(one, self.organization_path) for one in rows
        )
        for organization_id, number in owners.items():
            nouns = self.opts.verbose_name if number == 1 else self._plural
            trail.record(
                self.audit_kind,
                f"{verb} {number:,} {nouns}.",
                organization_id=organization_id,
                doer=trail.by_person(request.user),
            )

    @property
    def _plural(self) -> str:
        return str(self.opts.verbose_name_plural)

    def audit_name(self, obj: Any) -> str:
        """Return what the trail calls a row; it outlives the row."""
        return f"“{obj}”"

    def _record(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        changes = getattr(request, "audited_changes", [])
        if verb == "Changed" and not isinstance(message, str) and not changes:
            return
        noun, name = str(self.opts.verbose_name), self.audit_name(obj)
        sentence = f"{verb} the {noun} {name}."
        if isinstance(message, str):
            sentence = f"{noun[:1].upper()}{noun[1:]} {name}: {message}"
        trail.record(
            self.audit_kind,
            sentence,
            organization_id=organization_id_of(obj, self.organization_path),
            doer=trail.by_person(request.user),
            changes=changes,
            link="" if verb == "Deleted" else self._address_of(obj),
        )

    def _address_of(self, obj: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[obj.pk])

    # Lists

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return UncountedChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> LookAheadPaginator:
        return LookAheadPaginator(
            queryset,
            per_page,
            orphans,
            allow_empty_first_page,
            number=asked_page(request),
        )


class ReadOnlyAdmin(TenantAdmin):
    """What the engine writes, people read."""

    operators_may_write = False
    actions = None


class TenantInline(OwnRowsOnly, TabularInline):
    """Rows below a row. Who may do what is asked of the parent's admin."""

    extra = 0
    is_editable: ClassVar[bool] = True

    def _parent_allows(self, request: HttpRequest, obj: Any | None) -> bool:
        parent = self.admin_site.get_model_admin(self.parent_model)
        if obj is None:
            return self.is_editable and parent.has_add_permission(request)
        return self.is_editable and parent.has_change_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        parent = self.admin_site.get_model_admin(self.parent_model)
        return parent.has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._parent_allows(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        return self._parent_allows(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        return self._parent_allows(request, obj)
