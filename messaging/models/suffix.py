"""The end of a public id, which nobody can count up."""

from __future__ import annotations

from django.db.models import CharField, Func

LENGTH = 9


def random_suffix() -> Func:
    """Return nine hexadecimal digits, made by PostgreSQL for each row.

    They keep ids from being counted up; who may see what is decided without them. So
    they come from the session's generator: asking the system for good random numbers
    took longer than writing the rest of the row.
    """
    return Func(
        function="random",
        template=(
            f"lpad(to_hex(floor(%(function)s() * {16**LENGTH})::bigint), {LENGTH}, '0')"
        ),
        output_field=CharField(),
    )
