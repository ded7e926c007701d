from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.channels import catalogue
from messaging.channels.catalogue import (
    CatalogueError,
    ErrorClass,
    Fix,
    Tone,
    Verdict,
    entries,
    lookup,
    verdict,
)
from messaging.channels.catalogue_files import LONGEST_LABEL, LONGEST_TITLE
from messaging.channels.contract import Channel

RETRY, WAIT = ErrorClass.RETRY, ErrorClass.WAIT
FIX, NEVER, UNKNOWN = ErrorClass.FIX_FIRST, ErrorClass.NEVER, ErrorClass.UNKNOWN


def words(text: str) -> list[str]:
    return text.split()


DOCUMENTED_BY_META = words("""
    0 1 2 3 4 10 33 100 190 200 210 219 299 368 80007 130429 130472 130497 131000
    131005 131008 131009 131016 131021 131026 131031 131037 131042 131045 131047
    131048 131049 131050 131051 131052 131053 131056 131057 132000 132001 132005
    132007 132012 132015 132016 132068 132069 133000 133004 133005 133006 133008
    133009 133010 133015 133016 134011 135000 2388019 2388093
""")
DOCUMENTED_BY_TWILIO = words("""
    10001 11200 14107 20003 20404 20429 20500 20503 21211 21212 21214 21217 21265
    21266 21267 21268 21408 21601 21602 21603 21604 21606 21608 21610 21611 21612
    21614 21617 21618 21620 21621 21622 21623 21635 21659 21660 21661 21701 21703
    21730 30001 30002 30003 30004 30005 30006 30007 30008 30009 30010 30011 30017
    30018 30019 30020 30021 30022 30023 30024 30025 30026 30027 30028 30029 30030
    30031 30032 30033 30034 30035 30036 30400 30404 30409 30410 30440 30449 30450
    30880 30898 63010 63038
""")
ENHANCED_STATUSES = words("""
    4.2.1 4.2.2 4.3.1 4.3.2 4.4.1 4.4.2 4.5.3 4.7.0 4.7.1 5.1.0 5.1.1 5.1.2 5.1.3
    5.1.6 5.1.8 5.1.10 5.2.1 5.2.2 5.2.3 5.3.4 5.4.1 5.4.4 5.5.2 5.6.1 5.7.0 5.7.1
    5.7.8 5.7.20 5.7.23 5.7.25 5.7.26
""")
BASIC_REPLIES = words("""
    421 432 450 451 452 454 455 500 501 502 503 504 521 530 534 535 538 550 551 552
    553 554 555 556
""")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("whatsapp:131047:re_engagement_message_required", FIX),
        ("whatsapp:131047", FIX),
        ("telegram:429:Too Many Requests", RETRY),
        ("telegram:429", RETRY),
        ("whatsapp:1:Unsupported message type", FIX),
        ("whatsapp:1", FIX),
        ("telegram:403:blocked_by_user", NEVER),
        ("telegram:403:blocked", NEVER),
        ("whatsapp:auth_failed", FIX),
        ("telegram:auth_failed", FIX),
        ("sms:auth_failed", FIX),
        ("email:auth_failed", FIX),
        ("my-integration:auth_failed", FIX),
        ("whatsapp:http_500", RETRY),
        ("telegram:http_502", RETRY),
        ("sms:http_503", RETRY),
        ("whatsapp:WA001", NEVER),
        ("whatsapp:WA002", NEVER),
        ("whatsapp:WA003", FIX),
        ("whatsapp:WA004", FIX),
        ("whatsapp:WA005", WAIT),
        ("whatsapp:WA006", FIX),
        ("whatsapp:131051", FIX),
    ],
)
def test_the_codes_of_the_vendors_have_the_class_their_advice_implies(
    code: str, expected: ErrorClass
) -> None:
    assert lookup(code).error_class is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("whatsapp:0", FIX),
        ("whatsapp:190", FIX),
        ("whatsapp:203", FIX),
        ("whatsapp:80007", WAIT),
        ("whatsapp:130429", WAIT),
        ("whatsapp:130472", NEVER),
        ("whatsapp:131000", RETRY),
        ("whatsapp:131016", RETRY),
        ("whatsapp:131021", NEVER),
        ("whatsapp:131026", NEVER),
        ("whatsapp:131042", FIX),
        ("whatsapp:131048", WAIT),
        ("whatsapp:131049", WAIT),
        ("whatsapp:131050", NEVER),
        ("whatsapp:131053", FIX),
        ("whatsapp:131056", WAIT),
        ("whatsapp:132001", FIX),
        ("whatsapp:133004", RETRY),
        ("sms:20003", FIX),
        ("sms:20429", WAIT),
        ("sms:21211", NEVER),
        ("sms:21408", FIX),
        ("sms:21610", NEVER),
        ("sms:21614", NEVER),
        ("sms:30001", RETRY),
        ("sms:30003", RETRY),
        ("sms:30004", NEVER),
        ("sms:30005", NEVER),
        ("sms:30006", NEVER),
        ("sms:30007", FIX),
        ("sms:30008", RETRY),
        ("sms:30023", WAIT),
        ("sms:30034", FIX),
        ("sms:30410", UNKNOWN),
        ("sms:30450", WAIT),
        ("telegram:401", FIX),
        ("telegram:404", FIX),
        ("telegram:409", FIX),
        ("telegram:413", FIX),
        ("telegram:502", RETRY),
        ("email:421-4.7.0", RETRY),
        ("email:450-4.2.2", RETRY),
        ("email:535-5.7.8", FIX),
        ("email:550-5.1.1", NEVER),
        ("email:550-5.7.1", FIX),
        ("email:550-5.7.26", FIX),
        ("email:552-5.2.2", WAIT),
        ("email:554-5.7.1", FIX),
        ("email:552", FIX),
        ("email:451", RETRY),
        ("resend_admin:insufficient_credits", FIX),
        ("resend_admin:missed_time", RETRY),
        ("resend_admin:worker_lost", UNKNOWN),
        ("resend_admin:not_sent", RETRY),
        ("resend_admin:integration_off", FIX),
        ("resend_admin:content_refused", FIX),
        ("resend_admin:unknown_state", UNKNOWN),
    ],
)
def test_well_known_codes_have_their_class(code: str, expected: ErrorClass) -> None:
    assert lookup(code).error_class is expected


@pytest.mark.parametrize(
    "code",
    [
        *(f"whatsapp:{code}" for code in DOCUMENTED_BY_META),
        *(f"sms:{code}" for code in DOCUMENTED_BY_TWILIO),
        *(f"email:550-{code}" for code in ENHANCED_STATUSES),
        *(f"email:{code}" for code in BASIC_REPLIES),
    ],
)
def test_every_documented_code_is_listed(code: str) -> None:
    assert not lookup(code).title.startswith("Unknown answer")


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("http_500", RETRY),
        ("http_599", RETRY),
        ("http_504", UNKNOWN),
        ("http_400", FIX),
        ("http_401", FIX),
        ("http_429", WAIT),
        ("timeout", UNKNOWN),
        ("connection_lost", UNKNOWN),
        ("connection_failed", RETRY),
        ("unreadable_answer", UNKNOWN),
        ("invalid_content", FIX),
        ("auth_failed", FIX),
    ],
)
def test_what_every_channel_can_meet_is_listed_for_each(
    channel: Channel, own: str, expected: ErrorClass
) -> None:
    entry = lookup(f"{channel}:{own}")
    assert entry.error_class is expected
    assert entry.code.startswith(f"{channel}:")
    assert "{" not in entry.title + entry.diagnosis + entry.advice


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        ("400", "Bad Request: chat not found", "400:chat_not_found"),
        ("400", "Bad Request: PEER_ID_INVALID", "400:peer_id_invalid"),
        ("400", "Bad Request: message is too long", "400:message_too_long"),
        ("400", "Bad Request: message caption is too long", "400:caption_too_long"),
        ("400", "Bad Request: can't parse entities: bad tag", "400:cannot_parse"),
        (
            "400",
            "Bad Request: wrong file identifier/HTTP URL specified",
            "400:wrong_file",
        ),
        ("400", "Bad Request: failed to get HTTP URL content", "400:url_failed"),
        (
            "400",
            "Bad Request: group chat was upgraded to a supergroup chat",
            "400:group_upgraded",
        ),
        (
            "400",
            "Bad Request: not enough rights to send text messages to the chat",
            "400:no_rights",
        ),
        ("400", "Bad Request: something new", "400"),
        ("403", "Forbidden: bot was blocked by the user", "403:blocked_by_user"),
        ("403", "Forbidden: user is deactivated", "403:user_deactivated"),
        (
            "403",
            "Forbidden: bot can't initiate conversation with a user",
            "403:cannot_initiate",
        ),
        ("403", "Forbidden: bot was kicked from the group chat", "403:kicked"),
        ("403", "Forbidden: bot is not a member of the channel chat", "403:kicked"),
        ("403", "", "403"),
        ("403:something_new", "Forbidden: user is deactivated", "403:user_deactivated"),
    ],
)
def test_one_number_of_telegram_is_told_apart_by_its_words(
    code: str, description: str, expected: str
) -> None:
    assert lookup(f"telegram:{code}", description).code == f"telegram:{expected}"


def test_the_words_may_also_stand_behind_the_colon() -> None:
    entry = lookup("telegram:403:Forbidden: bot was blocked by the user")
    assert entry.code == "telegram:403:blocked_by_user"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("email:550-5.1.1", "email:5.1.1"),
        ("email:5.1.1", "email:5.1.1"),
        ("email:550 5.1.1", "email:5.1.1"),
        ("email:550-5.7.99", "email:5.7.x"),
        ("email:550-5.0.0", "email:550"),
        ("email:550", "email:550"),
        ("email:599", "email:5xx"),
        ("email:599-5.9.9", "email:5xx"),
        ("email:499", "email:4xx"),
        ("email:4.9.9", "email:4xx"),
        ("whatsapp:http_503", "whatsapp:http_5xx"),
        ("whatsapp:http_418", "whatsapp:http_4xx"),
        ("telegram:500", "telegram:http_5xx"),
        ("whatsapp:210", "whatsapp:200-299"),
        ("whatsapp:2388019", "whatsapp:2388*"),
        ("whatsapp:WA003", "whatsapp:131047"),
        ("sms:30447", "sms:30032"),
    ],
)
def test_a_code_falls_back_to_its_nearest_family(code: str, expected: str) -> None:
    assert lookup(code).code == expected


def test_an_unlisted_code_is_unclear_and_shows_what_the_provider_sent() -> None:
    entry = lookup("whatsapp:999999", "Something\n  brand new")
    assert entry.code == "whatsapp:999999"
    assert entry.error_class is UNKNOWN
    assert entry.title == "Unknown answer: whatsapp:999999"
    assert "Something brand new" in entry.diagnosis
    assert entry.verdict == Verdict("Unclear", Tone.IDLE, "question")


def test_an_unlisted_code_without_words_shows_the_code() -> None:
    assert "sms:77777" in lookup("sms:77777").diagnosis


def test_a_very_long_answer_is_cut() -> None:
    assert len(lookup("sms:77777", "word " * 1000).diagnosis) < 400


@pytest.mark.parametrize("code", ["131047", "whatsapp:", ":", "", "::", "email:abc"])
def test_what_is_no_code_is_unclear(code: str) -> None:
    assert lookup(code).error_class is UNKNOWN


@given(code=st.text(max_size=60), detail=st.text(max_size=400))
def test_lookup_never_fails(code: str, detail: str) -> None:
    for channel in ("", "whatsapp:", "telegram:", "sms:", "email:", "resend_admin:"):
        entry = lookup(f"{channel}{code}", detail)
        assert entry.title
        assert entry.verdict.label


def test_a_near_miss_is_not_taken_for_a_listed_code() -> None:
    assert lookup("whatsapp:1310471").error_class is UNKNOWN
    assert lookup("whatsapp:13104").error_class is UNKNOWN
    assert lookup("sms:131047").error_class is UNKNOWN
    assert lookup("whatsapp:300").error_class is UNKNOWN


def test_a_wait_names_its_seconds_and_nothing_else_does() -> None:
    assert lookup("whatsapp:131049").wait_seconds == 86_400
    assert lookup("whatsapp:131056").wait_seconds > 0
    for entry in entries():
        assert (entry.wait_seconds > 0) is (entry.error_class is WAIT), entry.code


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("whatsapp:131047", Fix.TEMPLATE),
        ("whatsapp:131053", Fix.MEDIA),
        ("whatsapp:WA004", Fix.MEDIA),
        ("telegram:auth_failed", Fix.INTEGRATION),
        ("resend_admin:insufficient_credits", Fix.CREDITS),
        ("resend_admin:content_refused", Fix.CONTENT),
        ("telegram:400:group_upgraded", Fix.NUMBER),
        ("whatsapp:131042", Fix.ACCOUNT),
    ],
)
def test_what_can_be_fixed_says_what_to_fix(code: str, fix: Fix) -> None:
    assert lookup(code).fix is fix


def test_only_what_is_fixed_first_names_a_fix() -> None:
    assert all(entry.error_class is FIX for entry in entries() if entry.fix)


def test_a_message_whose_time_has_passed_needs_a_person() -> None:
    assert lookup("resend_admin:missed_time").needs_person
    assert not lookup("whatsapp:131016").needs_person


def test_what_may_have_left_is_never_called_safe_to_retry() -> None:
    for own in ("timeout", "connection_lost", "unreadable_answer", "http_504"):
        for channel in Channel:
            assert lookup(f"{channel}:{own}").error_class is UNKNOWN
    assert lookup("resend_admin:worker_lost").error_class is UNKNOWN


def test_each_class_has_its_pill() -> None:
    assert verdict(RETRY) == Verdict("Likely", Tone.OK, "check")
    assert verdict(WAIT) == Verdict("Later", Tone.WARN, "clock")
    assert verdict(FIX) == Verdict("Fix first", Tone.WARN, "wrench")
    assert verdict(NEVER) == Verdict("No", Tone.BAD, "cross")
    assert verdict("unknown") == Verdict("Unclear", Tone.IDLE, "question")


def test_a_class_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="maybe"):
        verdict("maybe")


def test_an_entry_may_have_a_more_telling_pill_of_the_same_colour() -> None:
    address = lookup("email:550-5.1.1").verdict
    assert address == Verdict("No, fix the address", Tone.BAD, "cross")
    window = lookup("whatsapp:131047").verdict
    assert window == Verdict("After a template", Tone.WARN, "wrench")


def test_every_text_suits_its_place() -> None:
    for entry in entries():
        assert 0 < len(entry.title) <= LONGEST_TITLE, entry.code
        assert len(entry.label) <= LONGEST_LABEL, entry.code
        assert not entry.title[0].islower(), entry.code
        for sentence in (entry.diagnosis, entry.advice):
            assert sentence[0].isupper(), entry.code
            assert sentence.endswith("."), entry.code
            assert not re.search(r"[.!?] \S", sentence), entry.code
            assert len(sentence) <= 120, entry.code


def test_a_pill_that_says_no_belongs_to_what_does_not_help() -> None:
    for entry in entries():
        if entry.label.startswith("No"):
            assert entry.error_class is NEVER, entry.code


def test_entries_are_listed_once() -> None:
    codes = [entry.code for entry in entries()]
    assert len(codes) == len(set(codes)) > 250
    assert all(lookup(entry.code) == entry for entry in entries())


def test_a_found_entry_is_the_same_object_every_time() -> None:
    assert lookup("whatsapp:131047") is lookup("whatsapp:WA003")
    assert lookup("email:550-5.1.1") is lookup("email:550-5.1.1")


GOOD = """
class = "retry"
title = "A title"
diagnosis = "What it is."
advice = "What to do."
"""


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (GOOD.replace("retry", "sometimes"), "sometimes"),
        (GOOD.replace('title = "A title"', ""), "title is missing"),
        (GOOD.replace("A title", "A " + "long " * 10), "at most 48"),
        (GOOD.replace("What it is.", "What it is"), "one sentence"),
        (GOOD.replace("What to do.", "Do this. Then that."), "one sentence"),
        (GOOD.replace("retry", "wait"), "wait_seconds"),
        (GOOD + "wait_seconds = 5", "wait_seconds"),
        (GOOD + 'fix = "media"', "fix goes with"),
        (GOOD.replace("retry", "fix_first") + 'fix = "luck"', "luck"),
        (GOOD + 'wait_seconds = "5"', "of type int"),
        (GOOD + "colour = 1", "colour"),
        (GOOD + f'label = "{"x" * 40}"', "label is at most"),
        (GOOD + 'phrases = ["word"]', "phrases"),
        (GOOD + 'aliases = ["5"]', "listed twice"),
        (GOOD + 'aliases = ["9-8"]', "not a range"),
    ],
)
def test_wrong_data_stop_the_start_and_name_file_and_code(
    tmp_path: Path, table: str, complaint: str
) -> None:
    text = f'channel = "sms"\nprovider = "P"\n[codes.5]\n{table}'
    (tmp_path / "sms.toml").write_text(text)
    with pytest.raises(CatalogueError, match=complaint) as caught:
        catalogue._load(tmp_path)
    assert "sms.toml, code 5" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("channel = ", "sms.toml"),
        ("[codes.5]", "needs a channel"),
        ('channel = "sms"', "needs a channel and codes"),
    ],
)
def test_a_file_without_form_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "sms.toml").write_text(text)
    with pytest.raises(CatalogueError, match=complaint):
        catalogue._load(tmp_path)


def test_good_data_are_read(tmp_path: Path) -> None:
    text = f'channel = "sms"\nprovider = "P"\n[codes.5]\n{GOOD}'
    (tmp_path / "sms.toml").write_text(text)
    listed, by_code, _ = catalogue._load(tmp_path)
    assert [entry.code for entry in listed] == ["sms:5"]
    assert by_code["sms:5"].title == "A title"
