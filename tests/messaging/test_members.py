"""Members from CSV: what is written, what is told, what is refused."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from messaging import member_file
from messaging.members import ImportRefused, ImportResult, import_csv
from messaging.models import Contact
from messaging.trail import by_person
from tests.factories import World

pytestmark = pytest.mark.django_db

HEADER = "external_id,name,phone,email,telegram_chat_id,country,language,tags\n"


def load(world: World, text: str | bytes, region: str = "") -> ImportResult:
    data = text.encode() if isinstance(text, str) else text
    return import_csv(
        organization=world.organization,
        file=io.BytesIO(data),
        by=by_person(world.editor),
        default_region=region,
    )


def test_a_full_row_becomes_a_member(ours: World) -> None:
    result = load(
        ours,
        HEADER
        + 'P1,"Mensah, Ama",024 412 3456,ama@example.org,123,gh,pt_BR,vip; gold\n',
    )

    assert (result.created, result.problem_count) == (1, 0)
    member = Contact.objects.get(organization=ours.organization, external_id="P1")
    assert member.name == "Mensah, Ama"
    assert member.phone == "+233244123456"
    assert member.email == "ama@example.org"
    assert member.telegram_chat_id == "123"
    assert (member.country, member.language) == ("GH", "pt-BR")
    assert member.tags == ["vip", "gold"]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        (",Ama,,,,,,", "external_id", "needs an external_id"),
        ("P1,Ama,12,,,GH,,", "phone", "too short"),
        ("P1,Ama,+23324412345,,,,,", "phone", "No such number"),
        ("P1,Ama,+233244123456789,,,,,", "phone", "too long"),
        ("P1,Ama,+233004123456,,,,,", "phone", "No such number"),
        ("P1,Ama,024 412 3456,,,,,", "phone", "fill in the country"),
        ("P1,Ama,2.33244E+11,,,GH,,", "phone", "power of ten"),
        ("P1,Ama,+233244123456 ext. 9,,,,,", "phone", "extension"),
        ("P1,Ama,not a number,,,GH,,", "phone", "no phone number"),
        ("P1,Ama,,ama@,,,,", "email", "no e-mail address"),
        ("P1,Ama,,,chat one,,,", "telegram_chat_id", "Telegram chat"),
        ("P1,Ama,,,,GHA,,", "country", "ISO 3166"),
        ("P1,Ama,,,,,english please,", "language", "at most 10"),
        ("P1,Ama,,,,,e,", "language", "language code"),
        (f"P1,Ama,,,,,,{'t' * 51}", "tags", "longer than 50"),
        (f"P1,{'n' * 201},,,,,,", "name", "201 characters"),
        ('P1,"A\nma",,,,,,', "name", "line break"),
        ("P1,Ama", "", "has 2 cells, the header has 8"),
        ("P1,Ama,,,,,,,too,many", "", "has 10 cells"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_reason(
    ours: World, cells: str, column: str, words: str
) -> None:
    result = load(ours, f"{HEADER}OK1,Good,,,,,,\n{cells}\nOK2,Good,,,,,,\n")

    (problem,) = result.problems
    assert (problem.line, problem.column) == (3, column)
    assert words in problem.reason
    assert (result.created, result.problem_count) == (2, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (HEADER, "no rows below"),
        ("name,phone\nAma,1\n", "no column external_id"),
        ("id,name,Full name\n1,a,b\n", "name more than once"),
        ("external_id,name\nP1,Ama\xe9\n".encode("latin-1"), "UTF-8"),
        ("external_id,name\nP1,Ama\n".encode("utf-16"), "UTF-8"),
        (b"external_id,name\nP1,A\0ma\n", "UTF-8"),
        ('external_id,name\nP1,"Ama\n', "Line 2 cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    ours: World, text: str | bytes, words: str
) -> None:
    with pytest.raises(ImportRefused, match=words):
        load(ours, text)

    assert not Contact.objects.filter(organization=ours.organization).exists()


def test_an_unknown_default_region_is_refused(ours: World) -> None:
    with pytest.raises(ImportRefused, match="ISO 3166"):
        load(ours, HEADER + "P1,Ama,,,,,,\n", region="XX")


def test_limits_are_said_in_words(ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_file, "MOST_ROWS", 2)
    with pytest.raises(ImportRefused, match="more than 2 rows"):
        load(ours, "id\n1\n2\n3\n")
    assert load(ours, "id\n1\n2\n").created == 2

    monkeypatch.setattr(member_file, "LARGEST_FILE", 5)
    with pytest.raises(ImportRefused, match="MB"):
        load(ours, "id\n1\n2\n")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffExternal ID;Full Name;Mobile number\r\nP1;Ama;+233244123456\r\n",
        "Mobile Number\tMEMBER-ID\tname\n+233244123456\tP1\tAma\n",
        'name,"id",phone\n\nAma,P1,+233 24 412 3456\n\n',
    ],
)
def test_headers_come_in_any_spelling_order_and_delimiter(
    ours: World, text: str
) -> None:
    assert load(ours, text).created == 1

    member = Contact.objects.get(organization=ours.organization)
    assert (member.external_id, member.name, member.phone) == (
        "P1",
        "Ama",
        "+233244123456",
    )


def test_headings_without_a_meaning_are_named(ours: World) -> None:
    result = load(ours, "id,shoe size,name\nP1,43,Ama\n")

    assert result.ignored_columns == ("shoe size",)


def test_a_number_without_prefix_belongs_to_the_rows_country_first(
    ours: World,
) -> None:
    load(ours, "id,phone,country\nA,0201234567,\nB,0612345678,NL\n", region="GH")

    phones = Contact.objects.order_by("external_id").values_list("phone", flat=True)
    assert list(phones) == ["+233201234567", "+31612345678"]


def test_the_second_of_two_equal_ids_is_left_out(ours: World) -> None:
    result = load(ours, "id,name\nP1,First\nP2,Other\nP1,Second\n")

    (problem,) = result.problems
    assert (problem.line, problem.value) == (4, "P1")
    assert "line 2" in problem.reason
    assert Contact.objects.get(external_id="P1").name == "First"


def test_only_the_columns_of_the_file_change(ours: World) -> None:
    member = ours.contact(external_id="P1", tags=["vip"], name="Old", language="en")
    member.opted_out_channels = ["sms"]
    member.save()

    result = load(ours, "id,name,language\nP1,New,\n")

    assert (result.created, result.updated) == (0, 1)
    member.refresh_from_db()
    assert (member.name, member.language) == ("New", "")
    assert member.tags == ["vip"]
    assert member.phone
    assert member.opted_out_channels == ["sms"]


def test_the_same_file_again_touches_nothing(ours: World) -> None:
    text = HEADER + "P1,Ama,+233244123456,a@example.org,,GH,en,vip\nP2,Kofi,,,,,,\n"
    load(ours, text)
    before = list(Contact.objects.order_by("pk").values())

    result = load(ours, text)

    assert (result.created, result.updated, result.unchanged) == (0, 0, 2)
    assert list(Contact.objects.order_by("pk").values()) == before


def test_a_file_of_ids_alone_creates_and_leaves_be(ours: World) -> None:
    ours.contact(external_id="P1", name="Ama")

    result = load(ours, "id\nP1\nP2\n")

    assert (result.created, result.unchanged) == (1, 1)
    assert Contact.objects.get(external_id="P1").name == "Ama"


def test_the_other_organization_is_never_touched(ours: World, theirs: World) -> None:
    member = theirs.contact(external_id="P1", name="Theirs")

    assert load(ours, "id,name\nP1,Ours\n").created == 1

    member.refresh_from_db()
    assert member.name == "Theirs"
    assert theirs.organization.contacts.count() == 1


def test_more_rows_than_a_batch_all_arrive(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.members.BATCH", 10)
    monkeypatch.setattr("messaging.members.KEPT_PROBLEMS", 3)
    rows = "".join(f"P{n},Name {n},{'' if n % 5 else 'bad'}\n" for n in range(45))

    result = load(ours, "id,name,email\n" + rows)

    assert result.created == 36
    assert (result.problem_count, len(result.problems)) == (9, 3)
    assert ours.organization.contacts.count() == 36


def test_uploads_are_read_from_memory_and_from_disk(ours: World) -> None:
    small = SimpleUploadedFile("members.csv", b"id,name\nP1,Ama\n")
    large = TemporaryUploadedFile("members.csv", "text/csv", 0, "utf-8")
    large.write(b"id,name\nP2,Kofi\n")

    for upload in (small, large):
        result = import_csv(
            organization=ours.organization, file=upload, by=by_person(ours.editor)
        )
        assert result.created == 1
    assert not large.closed
