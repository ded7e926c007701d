from __future__ import annotations

import base64
import json
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from resend_admin.ui.keyset import KeysetPage, keyset_page

ORDER = ("-app_label", "id")

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> QuerySet[ContentType]:
    """Seven rows, several of which share the leading column."""
    fill(["c", "a", "b", "b", "b", "a", "c"])
    return mine()


def fill(labels: list[str]) -> None:
    ContentType.objects.bulk_create(
        ContentType(app_label=f"keyset-{label}", model=f"m{place}")
        for place, label in enumerate(labels)
    )


def mine() -> QuerySet[ContentType]:
    return ContentType.objects.filter(app_label__startswith="keyset-")


def ids(page: KeysetPage[ContentType]) -> list[int]:
    return [row.pk for row in page.rows]


def all_ids(rows: QuerySet[ContentType]) -> list[int]:
    return list(rows.order_by(*ORDER).values_list("pk", flat=True))


def walk_down(rows: QuerySet[ContentType], size: int) -> list[KeysetPage[ContentType]]:
    pages = [keyset_page(rows, {}, ORDER, size)]
    while pages[-1].older:
        pages.append(keyset_page(rows, {"older": pages[-1].older}, ORDER, size))
    return pages


def test_walking_down_meets_every_row_once(rows: QuerySet[ContentType]) -> None:
    pages = walk_down(rows, size=3)
    assert [pk for page in pages for pk in ids(page)] == all_ids(rows)
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert pages[0].newer == ""


def test_walking_up_meets_the_same_pages(rows: QuerySet[ContentType]) -> None:
    pages = walk_down(rows, size=3)
    second = keyset_page(rows, {"newer": pages[2].newer}, ORDER, 3)
    assert ids(second) == ids(pages[1])
    assert second.older
    first = keyset_page(rows, {"newer": second.newer}, ORDER, 3)
    assert ids(first) == ids(pages[0])
    assert first.newer == ""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    labels=st.lists(st.sampled_from("abcd"), max_size=24),
    size=st.integers(1, 7),
)
def test_any_list_is_walked_down_and_up_without_loss(
    labels: list[str], size: int
) -> None:
    with transaction.atomic():
        fill(labels)
        pages = walk_down(mine(), size)
        assert [pk for page in pages for pk in ids(page)] == all_ids(mine())
        for above, below in pairwise(pages):
            up = keyset_page(mine(), {"newer": below.newer}, ORDER, size)
            assert ids(up) == ids(above)
        transaction.set_rollback(True)


def test_rows_that_come_meanwhile_move_nothing(rows: QuerySet[ContentType]) -> None:
    first, second, *_ = walk_down(rows, size=3)
    fill_front = ContentType.objects.create(app_label="keyset-z", model="new")
    assert ids(keyset_page(rows, {"older": first.older}, ORDER, 3)) == ids(second)
    up = keyset_page(rows, {"newer": second.newer}, ORDER, 3)
    assert ids(up) == ids(first)
    assert up.newer
    assert fill_front.pk in ids(keyset_page(rows, {"newer": up.newer}, ORDER, 3))


def test_a_row_that_went_meanwhile_loses_nobody_else(
    rows: QuerySet[ContentType],
) -> None:
    first = keyset_page(rows, {}, ORDER, 3)
    expected = all_ids(rows)[3:6]
    first.rows[-1].delete()
    assert ids(keyset_page(rows, {"older": first.older}, ORDER, 3)) == expected


def test_the_top_is_shown_as_a_full_page(rows: QuerySet[ContentType]) -> None:
    first, second, *_ = walk_down(rows, size=3)
    first.rows[0].delete()
    page = keyset_page(rows, {"newer": second.newer}, ORDER, 3)
    assert ids(page) == all_ids(rows)[:3]
    assert page.newer == ""


def test_a_page_costs_one_query_for_one_row_more(
    rows: QuerySet[ContentType],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = keyset_page(rows, {}, ORDER, 3)
    with django_assert_num_queries(1) as queries:
        keyset_page(rows, {"older": first.older}, ORDER, 3)
    assert "LIMIT 4" in queries[0]["sql"]


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "é",
        "x" * 5000,
        "[" * 400,
        _encoded("text"),
        _encoded([]),
        _encoded(["keyset-a"]),
        _encoded(["keyset-a", "not a number"]),
        _encoded(["keyset-a", None]),
        _encoded(["keyset-a", [1]]),
        _encoded(["\x00", 1]),
        _encoded(["a", 1, 2]),
    ],
)
def test_a_cursor_that_was_tampered_with_shows_the_first_page(
    rows: QuerySet[ContentType], cursor: str
) -> None:
    first = ids(keyset_page(rows, {}, ORDER, 3))
    assert ids(keyset_page(rows, {"older": cursor}, ORDER, 3)) == first
    assert ids(keyset_page(rows, {"newer": cursor}, ORDER, 3)) == first


def test_a_number_too_big_for_the_column_breaks_nothing(
    rows: QuerySet[ContentType],
) -> None:
    keyset_page(rows, {"older": _encoded(["keyset-a", 10**30])}, ORDER, 3)


@given(cursor=st.text(max_size=80))
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_text_at_all_breaks_the_page(cursor: str) -> None:
    keyset_page(mine(), {"older": cursor}, ORDER, 3)


def test_moments_survive_to_the_microsecond(django_user_model: type) -> None:
    from datetime import UTC, datetime, timedelta

    start = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
    model = django_user_model
    model.objects.bulk_create(  # type: ignore[attr-defined]
        model(username=f"keyset{n}", date_joined=start + timedelta(microseconds=n // 2))
        for n in range(6)
    )
    people = model.objects.filter(  # type: ignore[attr-defined]
        username__startswith="keyset"
    )
    order = ("-date_joined", "-id")
    seen = []
    params: dict[str, str] = {}
    while True:
        page = keyset_page(people, params, order, 1)
        seen += [row.username for row in page.rows]
        if not page.older:
            break
        params = {"older": page.older}
    assert seen == [f"keyset{n}" for n in (5, 4, 3, 2, 1, 0)]


def test_a_cursor_goes_through_a_url_unchanged(rows: QuerySet[ContentType]) -> None:
    older = keyset_page(rows, {}, ORDER, 3).older
    query = QueryDict(mutable=True)
    query["older"] = older
    assert parse_qs(query.urlencode())["older"] == [older]
