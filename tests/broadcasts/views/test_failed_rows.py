"""The failed rows: on the page by cause, and as a file."""

from __future__ import annotations

import csv
import io

from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from broadcasts.models import Broadcast
from messaging.models import Attempt, Contact, Message
from tests.broadcasts.factories import BLOCKED, finished, rows_of, stand
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World


def attempted(message: Message, answer: str) -> None:
    """Write down the latest attempt of a failed message, with its answer."""
    assert message.integration is not None
    assert message.content is not None
    made = Attempt.objects.create(
        organization=message.organization,
        message=message,
        integration=message.integration,
        content=message.content,
        day=message.day,
        number=message.attempt_count,
        price=1,
        state="open",
        channel=message.channel,
        actor="broadcast",
    )
    Attempt.objects.filter(pk=made.pk).update(
        state="failed",
        closed_at=made.opened_at,
        error_code=message.error_code,
        error_class=message.error_class,
        error_detail=answer,
    )


def read(response: object) -> list[list[str]]:
    assert isinstance(response, StreamingHttpResponse)
    content = b"".join(response.streaming_content)  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(content.decode())))


def two_causes(world: World) -> Broadcast:
    own = finished(world, "failed", "failed", "delivered")
    first = rows_of(own)[0]
    stand(rows_of(own).filter(pk=first.pk), "failed", BLOCKED)
    return own


def test_each_row_has_member_cause_answer_and_message(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    row = rows_of(own)[0]
    attempted(row, "Service overloaded")

    response = editor.get(url_of("detail", own))

    page = text_of(response)
    for words in (row.contact.name, row.recipient, row.error_code, "overloaded"):
        assert words in page
    assert f"/members/{row.contact_id}/" in html_of(response)
    assert f"/messages/{row.pk}/" in html_of(response)


def test_they_are_filtered_by_cause(ours: World, editor: Client) -> None:
    own = two_causes(ours)
    blocked, timed_out = rows_of(own)[0], rows_of(own)[1]

    page = html_of(editor.get(url_of("detail", own), {"cause": "whatsapp:131016"}))

    assert f"/messages/{timed_out.pk}/" in page
    assert f"/messages/{blocked.pk}/" not in page
    assert 'aria-current="true"' in page


def test_a_cause_that_is_not_there_shows_the_way_back(
    ours: World, editor: Client
) -> None:
    own = two_causes(ours)

    for cause in ("nonsense", "\x00", "x" * 500):
        response = editor.get(url_of("detail", own), {"cause": cause})
        assert response.status_code == 200
        assert "No failed row of this cause" in text_of(response)


def test_the_next_page_is_one_key_away(ours: World, editor: Client) -> None:
    own = finished(ours, *["failed"] * 27)
    rows = list(rows_of(own).order_by("-pk"))

    first = editor.get(url_of("detail", own))
    older = editor.get(url_of("detail", own), {"older": first.context["page"].older})

    assert f"/messages/{rows[0].pk}/" in html_of(first)
    assert f"/messages/{rows[26].pk}/" in html_of(older)
    assert f"/messages/{rows[0].pk}/" not in html_of(older)


def test_the_file_has_what_a_person_needs(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", "delivered")
    row = rows_of(own)[0]
    attempted(row, "Service overloaded")

    response = editor.get(url_of("failed-csv", own))

    header, line = read(response)
    named = dict(zip(header, line, strict=True))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert f"broadcast-{own.pk}-failed.csv" in response["Content-Disposition"]
    assert named["Member"] == row.contact.external_id
    assert named["Name"] == row.contact.name
    assert named["Channel"] == "WhatsApp"
    assert named["Code"] == "whatsapp:131016"
    assert named["Answer"] == "Service overloaded"
    assert named["Will a retry help?"] == "Likely"
    assert named["Message"] == row.public_id
    assert named["Failed at"].endswith("Z")


def test_no_cell_of_the_file_runs_as_a_formula(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")
    row = rows_of(own)[0]
    Contact.objects.filter(pk=row.contact_id).update(
        name='=HYPERLINK("http://evil")', external_id="@SUM(A1)"
    )
    attempted(row, "-2+3")

    _, line = read(editor.get(url_of("failed-csv", own)))

    assert line[0] == "'@SUM(A1)"
    assert line[1] == '\'=HYPERLINK("http://evil")'
    assert line[3].startswith("'+233")
    assert "'-2+3" in line


def test_the_file_can_be_of_one_cause(ours: World, editor: Client) -> None:
    own = two_causes(ours)

    everything = read(editor.get(url_of("failed-csv", own)))
    blocked = read(editor.get(url_of("failed-csv", own), {"cause": BLOCKED}))

    assert len(everything) == 3
    assert [line[7] for line in blocked[1:]] == [BLOCKED]


def test_the_file_is_written_while_it_is_read(ours: World, editor: Client) -> None:
    """One cursor on the server, whatever the number of rows: nothing is gathered."""
    few, many = finished(ours, *["failed"] * 3), finished(ours, *["failed"] * 30)

    def queries(own: Broadcast) -> int:
        with CaptureQueriesContext(connection) as asked:
            response = editor.get(url_of("failed-csv", own))
            assert isinstance(response, StreamingHttpResponse)
            before = len(asked)
            assert not any('"messaging_attempt"' in one["sql"] for one in asked)
            read(response)
        return before

    assert queries(few) == queries(many)
