"""Media that could not be loaded: one new link for all that carry it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from messaging.bulk import running
from messaging.models import BulkResend, Content
from tests.broadcasts.test_causes import single
from tests.broadcasts.views.pages import html_of, text_of
from tests.broadcasts.views.test_causes import confirm, dialog
from tests.factories import World
from tests.messaging.test_media import shelf  # noqa: F401 - a fixture

GONE = "whatsapp:131052"


@pytest.fixture
def picture(ours: World) -> Content:
    return Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": "https://example.org/gone.jpg", "caption": "Our harbour"},
    )


def test_a_new_link_goes_out_and_the_original_stays(
    ours: World,
    editor: Client,
    picture: Content,
    settings: Settings,
    shelf: str,  # noqa: F811 - the fixture
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    messages = [single(ours, GONE, content=picture) for _ in range(2)]
    assert 'value="https://example.org/gone.jpg"' in html_of(editor.get(dialog(GONE)))

    refused = confirm(editor, GONE, link=f"{shelf}/page")
    assert refused.status_code == 422
    assert "which is no image" in text_of(refused)
    assert not BulkResend.objects.exists()
    assert Content.objects.filter(kind="image").count() == 1

    assert confirm(editor, GONE, link=f"{shelf}/cat.jpg").status_code == 302

    running.run()
    bulk = BulkResend.objects.get()
    assert bulk.content is not None
    assert bulk.content.payload == {
        "url": f"{shelf}/cat.jpg",
        "caption": "Our harbour",
    }
    for message in messages:
        message.refresh_from_db()
        assert message.state == "queued"
        assert message.content == picture
        assert message.amended_content == bulk.content
    assert Content.objects.filter(kind="image").count() == 2


def test_a_file_that_works_again_keeps_its_link(
    ours: World,
    editor: Client,
    settings: Settings,
    shelf: str,  # noqa: F811 - the fixture
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    content = Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": f"{shelf}/cat.jpg"},
    )
    single(ours, GONE, content=content)

    confirm(editor, GONE, link=f"{shelf}/cat.jpg")

    assert BulkResend.objects.get().content is None
    assert Content.objects.filter(kind="image").count() == 1


def test_links_into_the_own_network_are_refused(
    ours: World, editor: Client, picture: Content
) -> None:
    single(ours, GONE, content=picture)

    refused = confirm(editor, GONE, link="http://127.0.0.1:5432/cat.jpg")

    assert refused.status_code == 422
    assert not BulkResend.objects.exists()


def test_media_that_differ_have_to_be_fixed_where_they_are(
    ours: World, editor: Client, picture: Content
) -> None:
    single(ours, GONE, content=picture)
    single(ours, GONE)

    shown = text_of(editor.get(dialog(GONE)))

    assert "Link to the file" not in shown
    assert "I have fixed it" in shown
