"""Broadcasts that are shown side by side: what one of them needs, all get at once.

Fields are asked one broadcast after the other, so whichever is first looks it up for
all of its list. However many there are, it is one query, or the two that it takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from django.db.models import QuerySet

from broadcasts import chain, summary
from broadcasts.chain import ChainSummary
from broadcasts.graphql.paging import Window
from broadcasts.graphql.rows import Answers, pages_of
from broadcasts.models import Broadcast, Route
from broadcasts.summary import Counters
from messaging.models import Message, MessageState

Asked = tuple[Window, tuple[MessageState, ...], str | None]


def selected() -> QuerySet[Broadcast]:
    """Broadcasts with what nearly every question about them wants."""
    return Broadcast.objects.select_related("flow", "created_by", "retry_of")


class Siblings:
    def __init__(
        self, found: Sequence[Broadcast], known: Mapping[int, Counters] | None = None
    ) -> None:
        self.found = found
        self._known = known
        self._pages: dict[Asked, tuple[dict[int, list[Message]], Answers]] = {}

    @property
    def ids(self) -> list[int]:
        return [one.pk for one in self.found]

    @cached_property
    def counters(self) -> Mapping[int, Counters]:
        return self._known if self._known is not None else summary.counters(self.ids)

    @cached_property
    def chains(self) -> dict[int, ChainSummary]:
        return chain.summaries(self.found)

    @cached_property
    def routes(self) -> dict[int, list[Route]]:
        ways: dict[int, list[Route]] = defaultdict(list)
        for way in (
            Route.objects.filter(broadcast__in=self.ids)
            .select_related("integration", "content")
            .order_by("broadcast_id", "position")
        ):
            ways[way.broadcast_id].append(way)
        return ways

    @cached_property
    def retries(self) -> dict[int, list[tuple[Broadcast, Siblings]]]:
        """The retries of each, all of them siblings of each other."""
        made = selected().filter(retry_of__in=self.ids).order_by("pk")
        return _by_source(list(made))

    @cached_property
    def sources(self) -> dict[int, tuple[Broadcast, Siblings]]:
        """What each is a retry of, by the id of the source."""
        ids = {one.retry_of_id for one in self.found if one.retry_of_id}
        found = list(selected().filter(pk__in=ids)) if ids else []
        together = Siblings(found)
        return {one.pk: (one, together) for one in found}

    @cached_property
    def runs(self) -> dict[int, tuple[Broadcast, Siblings]]:
        """Every run of their chains, with the numbers that are known by now."""
        numbers = {
            run.broadcast.pk: run.counters
            for one in self.chains.values()
            for run in one.runs
        }
        found = list(selected().filter(pk__in=numbers))
        together = Siblings(found, numbers)
        return {one.pk: (one, together) for one in found}

    def page(self, broadcast_id: int, asked: Asked) -> tuple[list[Message], Answers]:
        """Return a page of rows, and what providers said to all rows looked up."""
        if asked not in self._pages:
            pages = self._pages_of(*asked)
            ids = [one.pk for page in pages.values() for one in page]
            self._pages[asked] = (pages, Answers(ids))
        pages, answers = self._pages[asked]
        return pages.get(broadcast_id, []), answers

    def _pages_of(
        self, window: Window, outcomes: tuple[MessageState, ...], cause: str | None
    ) -> dict[int, list[Message]]:
        if cause is None:
            return pages_of(self.ids, window, outcomes)
        return pages_of(self.ids, window, codes=self._codes(cause))

    def _codes(self, cause: str) -> list[str]:
        """Return the spellings of a cause in the rows of these broadcasts."""
        return list(
            dict.fromkeys(
                code
                for numbers in self.counters.values()
                for one in numbers.causes
                if one.code == cause
                for code in one.codes
            )
        )


def _by_source(
    made: Sequence[Broadcast],
) -> dict[int, list[tuple[Broadcast, Siblings]]]:
    together = Siblings(made)
    found: dict[int, list[tuple[Broadcast, Siblings]]] = defaultdict(list)
    for one in made:
        if one.retry_of_id is not None:
            found[one.retry_of_id].append((one, together))
    return found
