from __future__ import annotations

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from resend_admin.local.broker import PrivateBroker, give_back_held_tasks
from tests.local.processes import kill_after, wait_until_gone

OWNER = """
import sys, time
from pathlib import Path
from resend_admin.local.broker import PrivateBroker
print(PrivateBroker(Path(sys.argv[1])).start(), flush=True)
time.sleep(600)
"""

WORKER = """
import sys, time
from celery import Celery
with Celery(broker=sys.argv[1]).connection() as connection:
    queue = connection.SimpleQueue("doorbell")
    queue.put({"ring": 1})
    print(queue.get(timeout=10).payload, flush=True)
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


def test_what_a_killed_worker_held_is_given_back(folder: Path) -> None:
    with PrivateBroker(folder) as broker:
        taken, _ = kill_after(WORKER, broker.url)
        assert taken == "{'ring': 1}"
        with redis.Redis.from_url(broker.url) as client:
            assert client.llen("doorbell") == 0
            assert give_back_held_tasks(broker.url) == 1
            assert client.llen("doorbell") == 1
        assert give_back_held_tasks(broker.url) == 0


def test_a_folder_with_quotes_in_its_name_works(folder: Path) -> None:
    with PrivateBroker(folder / 'a "quoted" \\ name') as broker:
        assert broker.poll() is None
