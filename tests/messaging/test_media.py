"""A new media link: only real media, and never from inside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pytest_django import Settings

from messaging import media
from messaging.channels.contract import ContentKind
from messaging.models import Content
from tests.factories import World

ANSWERS = {
    "/cat.jpg": (200, {"Content-Type": "image/jpeg", "Content-Length": "1000"}),
    "/page": (200, {"Content-Type": "text/html; charset=utf-8"}),
    "/huge.jpg": (200, {"Content-Type": "image/jpeg", "Content-Length": "9999999"}),
    "/gone.jpg": (404, {"Content-Type": "image/jpeg"}),
    "/moved.jpg": (302, {"Location": "/cat.jpg"}),
    "/nameless": (200, {}),
}


class Shelf(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        status, headers = ANSWERS[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def shelf() -> Iterator[str]:
    Shelf.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def inside_is_fine(settings: Settings) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True


@pytest.mark.usefixtures("inside_is_fine")
def test_media_of_the_right_kind_is_taken(shelf: str) -> None:
    media.check(f"{shelf}/cat.jpg", ContentKind.IMAGE)


@pytest.mark.usefixtures("inside_is_fine")
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/cat.jpg", ContentKind.VIDEO, "which is no video"),
        ("/page", ContentKind.DOCUMENT, "text/html"),
        ("/huge.jpg", ContentKind.IMAGE, "may have 5 MB"),
        ("/gone.jpg", ContentKind.IMAGE, "status 404"),
        ("/moved.jpg", ContentKind.IMAGE, "leads on"),
        ("/nameless", ContentKind.IMAGE, "nothing named"),
    ],
)
def test_anything_else_is_refused_in_words(
    shelf: str, path: str, kind: ContentKind, words: str
) -> None:
    with pytest.raises(media.MediaError, match=words):
        media.check(shelf + path, kind)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
def test_nothing_inside_is_ever_asked(shelf: str, host: str) -> None:
    port = shelf.rpartition(":")[2]

    with pytest.raises(media.MediaError):
        media.check(f"http://{host}:{port}/cat.jpg", ContentKind.IMAGE)
    assert Shelf.asked == []


@pytest.mark.parametrize(
    "url", ["", "cat.jpg", "ftp://example.org/cat.jpg", "https://me:x@example.org/c"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(media.MediaError, match="full web address"):
        media.check(url, ContentKind.IMAGE)


@pytest.mark.django_db
@pytest.mark.usefixtures("inside_is_fine")
def test_the_original_stays_and_all_but_the_link_is_kept(
    ours: World, shelf: str
) -> None:
    original = Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": "https://example.org/broken.jpg", "caption": "Our cat"},
    )

    mended = media.with_new_link(original, f"{shelf}/cat.jpg")

    original.refresh_from_db()
    assert original.payload["url"] == "https://example.org/broken.jpg"
    assert mended.payload == {"url": f"{shelf}/cat.jpg", "caption": "Our cat"}
    assert mended.pk != original.pk


@pytest.mark.django_db
def test_a_text_has_no_link(ours: World) -> None:
    with pytest.raises(media.MediaError, match="have a link"):
        media.with_new_link(ours.text(), "https://example.org/cat.jpg")
