from __future__ import annotations

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from resend_admin.celery import app
from resend_admin.local.broker import PrivateBroker
from tests.local.processes import kill_after, wait_until_gone

OWNER = """
import sys, time
from pathlib import Path
from resend_admin.celery import app
from resend_admin.local.broker import PrivateBroker
print(PrivateBroker(Path(sys.argv[1])).start(), flush=True)
time.sleep(600)
"""


def test_it_wants_the_password(folder: Path) -> None:
    with (
        PrivateBroker(folder) as broker,
        redis.Redis(port=broker.port or 0, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_a_restart_finds_the_tasks_again(folder: Path) -> None:
    with PrivateBroker(folder) as broker, redis.Redis.from_url(broker.url) as client:
        client.rpush("queue", "task")
    with PrivateBroker(folder) as broker, redis.Redis.from_url(broker.url) as client:
        assert client.lrange("queue", 0, -1) == [b"task"]


def test_a_killed_owner_leaves_no_server(folder: Path) -> None:
    _, started = kill_after(OWNER, folder)
    assert started
    wait_until_gone(started)


def test_a_killed_worker_holds_nothing(folder: Path) -> None:
    """There is nothing to give back, now or an hour later: beat rings again."""
    with PrivateBroker(folder) as broker, redis.Redis.from_url(broker.url) as client:
        connection = app.connection_for_read(broker.url)
        queue = connection.SimpleQueue("doorbell")
        queue.put({"ring": 1})
        queue.get(timeout=10)

        assert list(client.scan_iter("unacked*")) == []
        connection.release()
        assert client.llen("doorbell") == 0


def test_a_folder_with_quotes_in_its_name_works(folder: Path) -> None:
    with PrivateBroker(folder / 'a "quoted" \\ name') as broker:
        assert broker.poll() is None
