"""What every vendor's request and answer have in common."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic.alias_generators import to_camel

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII
)

NO_MOMENT = (
    "This must be a time in ISO 8601 with its zone, such as 2024-01-15T10:35:00Z."
)


class Request(BaseModel):
    """A body: known fields of exactly the right type, and no others."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, frozen=True
    )


class Reply(BaseModel):
    """An answer, described for the documentation; doors build it by hand."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError(NO_MOMENT)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such day or hour.") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with its zone, written in ISO 8601."""
