"""Charts: SVG made on the server, one file per kind of geometry.

The modules here know numbers and nothing of Django; ``{% load charts %}`` and
``templates/ui/charts`` turn them into pages. Across everything is percent, down it is
pixels, and there is no ``viewBox``: bars stretch with their card and the text stays
12 px. Colours are classes (d1 delivered first time, d2 after a retry, d3 waiting or
unknown, d4 failed for good, idle left out, rest the ground), so dark mode costs
nothing and no policy is broken.
"""

from resend_admin.ui.charts.bars import Bar, VerticalBars
from resend_admin.ui.charts.card import ChartCard
from resend_admin.ui.charts.histogram import Histogram, Marker
from resend_admin.ui.charts.rows import HorizontalBars, Part, Row
from resend_admin.ui.charts.stack import Column, Series, StackedColumns
from resend_admin.ui.charts.table import Share, Table
from resend_admin.ui.charts.waterfall import Step, Waterfall

__all__ = [
    "Bar",
    "ChartCard",
    "Column",
    "Histogram",
    "HorizontalBars",
    "Marker",
    "Part",
    "Row",
    "Series",
    "Share",
    "StackedColumns",
    "Step",
    "Table",
    "VerticalBars",
    "Waterfall",
]
