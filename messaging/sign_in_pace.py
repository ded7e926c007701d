"""Log-ins slowed down: by account, by address, and by both together.

Everybody may mistype a few times; then each further try has to wait. Somebody who
tries from elsewhere cannot shut the real person out: what is strict is counted per
account *and* address, what is counted per account alone refills within seconds, and
not for an address where the person is signed in already.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from messaging.models import Session, SignInPace


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once, and after that one each so many seconds."""

    name: str
    tries: int
    seconds: int


PAIR = Limit("pair", tries=5, seconds=60)
ADDRESS = Limit("address", tries=30, seconds=20)
ACCOUNT = Limit("account", tries=20, seconds=10)
CODE = Limit("code", tries=5, seconds=300)
PASSWORD = Limit("password", tries=5, seconds=60)

Bucket = tuple[Limit, str]
"""A limit, and the key of the row that counts for it."""


def buckets_of(username: str, address: str) -> list[Bucket]:
    """Return what one try to log in counts against."""
    account, place = username.casefold(), network_of(address)
    found = [
        bucket(PAIR, f"{account} {place}"),
        bucket(ADDRESS, place),
    ]
    if not _is_at_home(username, address):
        found.append(bucket(ACCOUNT, account))
    return found


def bucket(limit: Limit, whom: str) -> Bucket:
    mac = salted_hmac(f"messaging.sign_in.{limit.name}", whom, algorithm="sha256")
    return limit, mac.hexdigest()


def take(buckets: Iterable[Bucket]) -> float:
    """Count one try; return 0, or after how many seconds to come back.

    What is refused costs nothing. The rows are locked in the order of their keys
    until all of them agree, so any number of processes share the limits.
    """
    ordered = sorted(buckets, key=lambda one: one[1])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO messaging_signinpace AS pace (key, paid_until)
                SELECT key, statement_timestamp() + seconds * interval '1 second'
                FROM unnest(%s::text[], %s::int[]) AS wanted (key, seconds)
                ON CONFLICT (key) DO UPDATE
                SET paid_until = greatest(pace.paid_until, statement_timestamp())
                    + (excluded.paid_until - statement_timestamp())
                RETURNING key, extract(epoch FROM paid_until - statement_timestamp())
                """,
                [
                    [key for _, key in ordered],
                    [limit.seconds for limit, _ in ordered],
                ],
            )
            used = {key: float(seconds) for key, seconds in cursor.fetchall()}
        waits = [used[key] - limit.tries * limit.seconds for limit, key in ordered]
        wait = max(waits, default=0.0)
        # The clock of the statement may be a little behind that of the first try.
        if wait <= 0.001:
            return 0.0
        transaction.set_rollback(True)
    return wait


def give_back(buckets: Iterable[Bucket]) -> None:
    """Take back the count of a try that was right; the pair begins again."""
    for limit, key in sorted(buckets, key=lambda one: one[1]):
        rows = SignInPace.objects.filter(key=key)
        if limit.name in {PAIR.name, CODE.name, PASSWORD.name}:
            rows.delete()
        else:
            _lower(key, limit.seconds)


def _lower(key: str, seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_signinpace"
            " SET paid_until = paid_until - %s * interval '1 second' WHERE key = %s",
            [seconds, key],
        )


def prune() -> int:
    """Forget whose wrong tries have been paid for; return how many there were."""
    return SignInPace.objects.filter(paid_until__lt=timezone.now()).delete()[0]


def network_of(address: str) -> str:
    """Return what one household or host holds: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def words(seconds: float) -> str:
    """Say when to come back, rounded up: "in 40 seconds", "in 4 minutes"."""
    whole = timedelta(seconds=-(-seconds // 1))
    if whole < timedelta(seconds=90):
        number = max(int(whole.total_seconds()), 1)
        return "in 1 second" if number == 1 else f"in {number} seconds"
    return f"in {-(-int(whole.total_seconds()) // 60)} minutes"


def _is_at_home(username: str, address: str) -> bool:
    return Session.objects.filter(
        person__username=username, address=address or None, opened_at__isnull=False
    ).exists()
