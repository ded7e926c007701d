from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone

from resend_admin.ui.keyset import KeysetPage
from resend_admin.ui.progress import Progress, Segment


def render(source: str, **context: Any) -> str:
    request = context.pop("request", None)
    bound = RequestContext(request, context) if request else Context(context)
    return Template("{% load ui %}" + source).render(bound).strip()


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in render('{% icon "retry" %}')
    labelled = render('{% icon "retry" "Tried again" %}')
    assert 'role="img" aria-label="Tried again"' in labelled


def test_an_icon_nobody_drew_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        render('{% icon "unicorn" %}')


def test_a_pill_is_icon_word_and_colour() -> None:
    html = render("{% message_pill state tries %}", state="queued", tries=2)
    assert html.startswith('<span class="pill warn"><svg')
    assert html.endswith("Waiting to retry</span>")


def test_a_verdict_may_be_told_in_other_words() -> None:
    html = render('{% verdict_pill "never" label="No, fix the address" %}')
    assert "No, fix the address" in html
    assert "pill bad" in html


@pytest.mark.parametrize(
    ("name", "words"),
    [("whatsapp", "WhatsApp"), ("sms", "SMS"), ("carrier_pigeon", "Carrier_pigeon")],
)
def test_a_channel_is_named(name: str, words: str) -> None:
    assert words in render("{% channel name %}", name=name)


def test_counts_agree_with_their_nouns() -> None:
    source = '{{ count|plural:"message,messages" }}'
    assert render(source, count=1) == "1 message"
    assert render(source, count=12345) == "12,345 messages"
    assert render(source, count=0) == "0 messages"


def test_filters_print_numbers_and_shares() -> None:
    assert render("{{ 48210|number }} {{ 1|percent:2 }}") == "48,210 50\u202f%"


def test_a_relative_time_has_the_moment_as_its_title() -> None:
    when = timezone.now() - timedelta(hours=2, minutes=5)
    with timezone.override("Europe/Amsterdam"):
        html = render("{% ago when %}", when=when)
    assert ">2 hours ago</time>" in html
    assert "(Europe/Amsterdam)" in html
    assert f'datetime="{when:%Y-%m-%dT%H:%M:%S}Z"' in html


def test_a_moment_names_its_zone_where_asked() -> None:
    when = datetime(2026, 11, 21, 15, 34, tzinfo=UTC)
    with timezone.override("Europe/Amsterdam"):
        html = render("{% moment when zone=True %}", when=when)
        words = render("{{ when|in_words }}", when=when)
    assert ">21 Nov 2026, 16:34</time>" in html
    assert '<span class="zone">(Europe/Amsterdam)</span>' in html
    assert words.startswith("21 Nov")
    assert words.endswith("at 16:34 (Europe/Amsterdam)")


def test_no_moment_is_a_dash() -> None:
    assert render("{% ago none %}{% moment none %}", none=None) == "––"


def test_the_bar_speaks() -> None:
    progress = Progress(10, [Segment("Delivered", 9, "d1"), Segment("Failed", 1, "d4")])
    html = render('{% progress p id="bar-7" %}', p=progress)
    assert 'role="progressbar"' in html
    assert 'aria-valuenow="100"' in html
    assert "10 of 10 messages settled: 9 delivered, 1 failed" in html
    assert '<rect class="d4" id="bar-7-d4" x="90.00%" width="10.00%"' in html
    assert "style=" not in html


def test_the_legend_leads_to_what_it_counts() -> None:
    progress = Progress(
        1200,
        [
            Segment("Delivered", 1200, "d1", href="/m/?d"),
            Segment("Failed", 0, "d4", "/f"),
        ],
    )
    html = render("{% progress_legend p %}", p=progress)
    assert '<a href="/m/?d">1,200</a>' in html
    assert "/f" not in html


def test_a_button_that_is_off_says_why_in_sight() -> None:
    html = render(
        '{% button "Retry failed" kind="primary" dialog="/retry/" reason=why %}',
        why="Nothing failed.",
    )
    assert 'aria-disabled="true" aria-describedby="button-retry-failed-why"' in html
    assert 'id="button-retry-failed-why"' in html
    assert "<span>Nothing failed.</span>" in html
    assert " disabled" not in html
    assert "/retry/" not in html


def test_a_button_that_is_on_opens_its_dialog_and_is_a_link_without_scripts() -> None:
    html = render('{% button "Retry 2 failed…" dialog=url reason="" %}', url="/a?b&c")
    assert html.startswith("<a ")
    assert 'href="/a?b&amp;c" hx-get="/a?b&amp;c" hx-target="#dialog"' in html
    assert 'id="button-retry-2-failed"' in html


def test_a_button_can_submit() -> None:
    html = render('{% button "Save" kind="primary" type="submit" name="a" value="b" %}')
    assert 'type="submit" name="a" value="b"' in html


def test_the_pager_keeps_the_other_parameters(rf: RequestFactory) -> None:
    html = render(
        "{% pager page %}",
        page=KeysetPage(rows=[], newer="AAA", older="BBB"),
        request=rf.get("/messages/?state=failed&older=old"),
    )
    assert 'href="?state=failed&amp;newer=AAA"' in html
    assert 'href="?state=failed&amp;older=BBB"' in html


def test_the_end_of_a_list_is_off_and_a_single_page_has_no_pager(
    rf: RequestFactory,
) -> None:
    request = rf.get("/")
    first: KeysetPage[Any] = KeysetPage(rows=[], older="BBB")
    only: KeysetPage[Any] = KeysetPage(rows=[])
    assert '<span class="btn" aria-disabled="true">' in render(
        "{% pager page %}", page=first, request=request
    )
    assert render("{% pager page %}", page=only, request=request) == ""


def test_filters_work_as_a_plain_form_and_in_place(rf: RequestFactory) -> None:
    source = '{% filters target="results" %}<input name="q">{% endfilters %}'
    html = render(source, request=rf.get("/members/?q=a"))
    assert 'method="get" action="/members/"' in html
    assert 'hx-target="#results" hx-select="#results"' in html
    assert '<input name="q">' in html
    assert ">Apply</button>" in html
    assert ">Clear</a>" in html
    assert "Clear" not in render(source, request=rf.get("/members/?older=x"))


def test_blocks_escape_their_arguments_and_keep_their_content() -> None:
    html = render(
        '{% empty title=title icon="mail" %}<a href="/">Go</a>{% endempty %}',
        title="<b>",
    )
    assert "&lt;b&gt;" in html
    assert '<a href="/">Go</a>' in html
    banner = render('{% banner "warn" %}<p>{{ text }}</p>{% endbanner %}', text="<i>")
    assert banner.startswith('<div class="banner warn">')
    assert "&lt;i&gt;" in banner


def test_a_dialog_is_named_by_its_title() -> None:
    html = render('{% dialog id="more" title="More" %}x{% enddialog %}')
    assert '<dialog class="dialog" id="more" aria-labelledby="more-title">' in html
    assert '<h2 id="more-title">More</h2>' in html
