"""What stands in the page: whole SVG, escaped, named, with its table and file."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from django.utils.html import escape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resend_admin.ui.charts import (
    Bar,
    ChartCard,
    Column,
    Histogram,
    HorizontalBars,
    Marker,
    Part,
    Row,
    Series,
    Share,
    StackedColumns,
    Step,
    Table,
    VerticalBars,
    Waterfall,
)
from resend_admin.ui.charts.card import Drawing

EVIL = '<script>alert("1")</script> & co'
SERIES = (Series("Delivered first time", "d1"), Series(EVIL, "d4"))
DRAWINGS: list[Drawing] = [
    VerticalBars(
        [Bar(EVIL, 50, "50 %", below="1,240", prefix="Retry")],
        EVIL,
        True,
        "retry",
        "tries",
    ),
    Histogram([Bar(EVIL, 3), Bar("b", 0)], EVIL, [Marker(EVIL, 1.5)]),
    StackedColumns(SERIES, [Column(EVIL, EVIL, [1_000_000, 1])] * 3, EVIL),
    StackedColumns(SERIES, [Column(EVIL, EVIL, [5, 1])] * 400, EVIL),
    HorizontalBars([Row(EVIL, "3", [Part(3, "d4")], second=EVIL, href="/x")], EVIL),
    Waterfall(Step(EVIL, 5, "rest"), [Step(EVIL, 3, "d1", EVIL, "/x")], EVIL),
]
NUMBER = re.compile(r"-?\d+(\.\d+)?%?$")


def rendered(drawing: Drawing, **values: object) -> str:
    card = ChartCard(
        "rate",
        f"Title {EVIL}",
        f"Finding {EVIL}",
        drawing,
        Table(["Name", "Share"], [[EVIL, Share(1, 2)]]),
        "/reports/rate.csv?channel=sms",
        SERIES,
        **values,  # type: ignore[arg-type]
    )
    template = Template("{% load charts %}{% chart card %}")
    return template.render(Context({"card": card}))


def tree_of(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html)  # noqa: S314 # Our own, and it must be whole.


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda one: type(one).__name__)
def test_a_drawing_is_well_formed_and_its_places_are_numbers(drawing: Drawing) -> None:
    html = rendered(drawing)
    tree = tree_of(html)

    assert EVIL not in html
    assert escape(EVIL) in html
    assert "style=" not in html
    assert "viewBox" not in html
    places = {"x", "y", "x1", "x2", "y1", "y2", "width", "height", "dx", "dy", "rx"}
    for element in tree.iter():
        for name in places & set(element.attrib):
            assert NUMBER.match(element.attrib[name]), (element.tag, element.attrib)
    identities = [one.attrib["id"] for one in tree.iter() if "id" in one.attrib]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("drawing", DRAWINGS[:4], ids=lambda one: type(one).__name__)
def test_a_picture_has_a_name_and_a_description(drawing: Drawing) -> None:
    tree = tree_of(rendered(drawing))
    picture = next(one for one in tree.iter("svg") if one.get("role") == "img")

    assert picture.get("width") == "100%"
    assert picture.findtext("title") == f"Title {EVIL}"
    assert picture.findtext("desc") == EVIL
    assert picture.get("aria-labelledby") == picture.find("title").get("id")  # type: ignore[union-attr]
    assert picture.get("aria-describedby") == picture.find("desc").get("id")  # type: ignore[union-attr]
    assert all(one.get("aria-hidden") == "true" for one in picture.findall("g"))


def test_the_card_has_its_sentence_legend_table_and_file() -> None:
    tree = tree_of(rendered(DRAWINGS[2], note="How it is counted."))

    assert tree.findtext(".//h2") == f"Title {EVIL}"
    assert f"Finding {EVIL}" in "".join(tree.itertext())
    assert "How it is counted." in "".join(tree.itertext())
    legend = tree.find(".//ul[@class='legend']")
    assert legend is not None
    assert ["".join(one.itertext()) for one in legend] == [one.label for one in SERIES]
    assert tree.findtext(".//tbody/tr/th[@scope='row']") == EVIL
    assert tree.findtext(".//tbody/tr/td[@class='num']") == "50\u202f%"
    link = tree.find(".//a[@class='chart-file']")
    assert link is not None
    assert link.get("href") == "/reports/rate.csv?channel=sms"


def test_without_data_there_is_a_sentence_and_no_picture() -> None:
    html = rendered(VerticalBars([], ""), nothing="No message failed.")

    assert "No message failed." in html
    assert "<svg" not in html


def test_four_hundred_days_tell_their_numbers_by_the_browsers_own_tooltip() -> None:
    tree = tree_of(rendered(DRAWINGS[3]))
    titles = [
        one.findtext("title") for one in tree.iter("g") if one.get("class") == "col"
    ]

    assert len(titles) == 400
    assert titles[0] == f"{EVIL}\n{EVIL}: 1\nDelivered first time: 5"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(), st.text())
def test_any_text_is_escaped(label: str, words: str) -> None:
    bars = VerticalBars([Bar(label, 1, words)], words)
    html = Template("{% load charts %}{% drawing bars id='a' title=label %}").render(
        Context({"bars": bars, "label": label})
    )
    assert html.count("<text") == html.count("</text>")
    for text in (label, words):
        if "<" in text:
            assert f">{text}<" not in html
