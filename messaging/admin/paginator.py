"""Admin lists at a million rows: look one row ahead instead of counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    BasePaginator = Paginator[Any]
else:
    BasePaginator = Paginator


class LookAheadPaginator(BasePaginator):
    """Knows whether a next page exists, and nothing beyond it.

    ``count`` is the number of rows up to the end of this page, and one more when
    others follow. It costs one query of one page, however many rows there are.
    """

    def __init__(
        self,
        object_list: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
        *,
        number: int = 1,
    ) -> None:
        super().__init__(
            object_list, per_page, allow_empty_first_page=allow_empty_first_page
        )
        self.keys = object_list.values_list("pk", flat=True)
        self.number = number

    @cached_property
    def count(self) -> int:
        start = (self.number - 1) * self.per_page
        seen = len(self.keys[start : start + self.per_page + 1])
        return start + seen

    @property
    def has_more(self) -> bool:
        return self.count > self.number * self.per_page


def asked_page(request: HttpRequest) -> int:
    """Return the page in the URL: ``p`` of a list, ``page`` of an autocomplete."""
    text = request.GET.get("p") or request.GET.get("page") or "1"
    return int(text) if text.isdecimal() and 0 < len(text) < 6 and int(text) else 1


class UncountedChangeList(ChangeList):
    """A list that never says how many rows there are in all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Equal numbers keep Django from offering "Show all".
        self.full_result_count = self.result_count
