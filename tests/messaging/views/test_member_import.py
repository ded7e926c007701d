"""Bringing in members: what was taken, what was not, and how to mend it."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import cast

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from messaging import member_file
from messaging.models import Contact
from tests.factories import World

HEADER = "external_id,name,phone,email,tags\n"


def upload(
    client: Client, content: str | bytes, country: str = "GH", name: str = "m.csv"
) -> HttpResponse:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(name, data, content_type="text/csv")
    url = reverse("messaging:member-import")
    return cast("HttpResponse", client.post(url, {"file": file, "country": country}))


def figures(response: HttpResponse) -> list[int]:
    """Return new, updated, unchanged and left out, as the page tells them."""
    found = re.findall(r"<dd>([\d,]+)</dd>", response.content.decode())
    return [int(one) for one in found[:4]]


def test_good_rows_are_taken_and_bad_ones_told(ours: World, editor: Client) -> None:
    ours.contact(external_id="A2", name="Old name")
    content = (
        HEADER
        + "A1,Ama,0241234567,ama@example.org,gold\n"
        + "A2,Kofi,+233201112223,,\n"
        + "A3,Esi,12,,\n"
    )

    response = upload(editor, content)

    assert response.status_code == 200
    assert figures(response) == [1, 1, 0, 1]
    text = response.content.decode()
    row = re.search(r"<tr><td class=\"num\">4</td>.*?</tr>", text)
    assert row is not None
    assert "phone" in row[0]
    assert "<code>12</code>" in row[0]
    assert Contact.objects.get(external_id="A1").phone == "+233241234567"
    assert Contact.objects.get(external_id="A2").name == "Kofi"
    assert not Contact.objects.filter(external_id="A3").exists()


def test_only_the_own_organization_is_touched(
    ours: World, theirs: World, editor: Client
) -> None:
    other = theirs.contact(external_id="A1", name="Theirs")

    upload(editor, f"{HEADER}A1,Ours,0241234567,,\n")

    other.refresh_from_db()
    assert other.name == "Theirs"
    own = Contact.objects.get(organization=ours.organization)
    assert own.name == "Ours"


def test_bad_rows_can_be_taken_home(ours: World, editor: Client) -> None:
    response = upload(editor, f'{HEADER}A1,"=1+1",12,,\n')
    sealed = re.search(r'name="sealed" value="([^"]+)"', response.content.decode())
    assert sealed is not None

    download = editor.post(
        reverse("messaging:member-import-problems"),
        {"sealed": html.unescape(sealed[1])},
    )

    text = download.getvalue().decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert "attachment" in download["Content-Disposition"]
    assert rows[0] == ["Line", "Column", "Value", "Reason"]
    assert rows[1][:3] == ["2", "phone", "12"]


def test_bad_rows_of_another_organization_stay_there(
    ours: World, editor: Client, stranger: Client
) -> None:
    response = upload(editor, f"{HEADER}A1,Ama,12,,\n")
    sealed = re.search(r'name="sealed" value="([^"]+)"', response.content.decode())
    assert sealed is not None
    url = reverse("messaging:member-import-problems")

    for text in (html.unescape(sealed[1]), "made up", ""):
        assert stranger.post(url, {"sealed": text}).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "This file is empty"),
        ("name,phone\nAma,1\n", "no column external_id"),
        (HEADER, "no rows below it"),
        (HEADER.encode() + b"A1,\xff\xfe,,,\n", "not in UTF-8"),
        (HEADER.encode("utf-16"), "not in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    ours: World, editor: Client, content: str | bytes, words: str
) -> None:
    response = upload(editor, content)

    text = response.content.decode()
    assert response.status_code == 422
    assert words in text
    assert 'aria-invalid="true"' in text
    assert not Contact.objects.exists()


def test_a_file_that_is_too_large_is_refused(
    ours: World, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_file, "LARGEST_FILE", 10)

    response = upload(editor, f"{HEADER}A1,Ama,,,\n")

    assert response.status_code == 422
    assert "Split it" in response.content.decode()


@pytest.mark.parametrize("country", ["ZZ", "1", "Ghana"])
def test_a_country_that_is_none_is_refused_and_kept(
    ours: World, editor: Client, country: str
) -> None:
    response = upload(editor, f"{HEADER}A1,Ama,,,\n", country=country)

    text = response.content.decode()
    assert response.status_code == 422
    assert "two letters" in text
    assert f'value="{country}"' in text
    assert not Contact.objects.exists()


def test_no_file_at_all_is_told(ours: World, editor: Client) -> None:
    response = editor.post(reverse("messaging:member-import"), {"country": ""})

    assert response.status_code == 422
    assert "Choose a CSV file." in response.content.decode()


def test_cells_cannot_carry_markup(ours: World, editor: Client) -> None:
    response = upload(editor, f"{HEADER}A1,Ama,<script>1</script>,,\n", name="<b>.csv")

    text = response.content.decode()
    assert "<script>1" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;1" in text


def test_importing_again_changes_nothing(ours: World, editor: Client) -> None:
    content = f"{HEADER}A1,Ama,0241234567,,\n"
    upload(editor, content)

    assert figures(upload(editor, content)) == [0, 0, 1, 0]


def test_the_template_can_be_imported_as_it_is(ours: World, editor: Client) -> None:
    template = editor.get(reverse("messaging:member-import-template"))

    response = upload(editor, template.getvalue())

    assert figures(response) == [1, 0, 0, 0]
    member = Contact.objects.get()
    assert member.tags == ["gold", "newsletter"]
    assert member.phone == "+233241234567"
