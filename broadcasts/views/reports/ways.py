"""The same figures by channel and by integration, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from broadcasts.views.reports import words
from messaging.figures import PartFigures, Rate, Report
from messaging.figures.words import ARRIVED, SUCCESS_RATE
from messaging.models import Integration, Organization
from resend_admin.ui.charts import ChartCard, Part, Share, Table
from resend_admin.ui.charts.rows import Strip, strips
from resend_admin.ui.pills import channel_name


@dataclass(frozen=True, slots=True)
class Names:
    """What integrations and channels are called."""

    integrations: dict[int, str]

    def of(self, part: PartFigures) -> str:
        if part.integration_id is None:
            return "Integration not recorded"
        return self.integrations.get(part.integration_id, "Integration removed")

    def channel(self, part: PartFigures) -> str:
        return channel_name(part.channel) if part.channel else "No channel"


def names_of(organization: Organization) -> Names:
    own = Integration.objects.filter(organization=organization)
    return Names(dict(own.values_list("pk", "name")))


@dataclass(frozen=True, slots=True)
class Measure:
    """A success rate as text and as a bar on a line of 100."""

    rate: Rate
    colour: str

    @property
    def strips(self) -> list[Strip]:
        return strips([Part(100 * (self.rate.share or 0), self.colour)], 100)


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    """Of the integration; empty where a channel has several and this is their sum."""
    channel: str
    """Its key, for the icon; empty below the line of the sum."""
    first: Measure
    resends: Measure
    recovered: int


@dataclass(frozen=True, slots=True)
class WaysTable:
    """A table is the picture here, with a bar in each cell that is a share."""

    template: ClassVar[str] = "broadcasts/reports/ways.html"

    lines: Sequence[Line]
    description: str

    @property
    def is_empty(self) -> bool:
        return not self.lines


def card(report: Report, csv_url: str, names: Names) -> ChartCard:
    finding = words.ways_finding(
        [
            (names.channel(one), all_tries.arrived, all_tries.decided)
            for one in report.channels
            for all_tries in [one.first + one.resends]
        ]
    )
    return ChartCard(
        "ways",
        "By channel and integration",
        finding,
        WaysTable(list(_lines(report, names)), description=finding),
        Table(
            [
                "Integration",
                "Channel",
                "First sends",
                "First sends that arrived",
                "Resends",
                "Resends that arrived",
                "Recovered",
                "Credits",
            ],
            [
                [
                    names.of(one),
                    names.channel(one),
                    one.first.tries,
                    Share(one.first.arrived, one.first.decided),
                    one.resends.tries,
                    Share(one.resends.arrived, one.resends.decided),
                    one.recovered.count,
                    one.recovered.credits,
                ]
                for one in report.parts
            ],
        ),
        csv_url,
        definitions=(SUCCESS_RATE, ARRIVED),
        nothing="Nothing was sent in this period.",
    )


def _lines(report: Report, names: Names) -> Iterable[Line]:
    """Each channel with its integration; with their sum first if it has several."""
    for channel in report.channels:
        own = [one for one in report.parts if one.channel == channel.channel]
        if len(own) == 1:
            yield _line(own[0], names.of(own[0]), channel.channel)
            continue
        yield _line(channel, "", channel.channel)
        for one in own:
            yield _line(one, names.of(one), "")


def _line(part: PartFigures, name: str, channel: str) -> Line:
    return Line(
        name=name,
        channel=channel,
        first=Measure(part.first, "d1"),
        resends=Measure(part.resends, "d2"),
        recovered=part.recovered.count,
    )
