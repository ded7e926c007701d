"""What people fill in about broadcasts, a file per form."""

from __future__ import annotations

from broadcasts.forms.broadcast import BroadcastForm, RetryEditForm
from broadcasts.forms.retry import RetryForm
from broadcasts.forms.routes import RoutesForm
from broadcasts.forms.schedule import ScheduleForm

__all__ = [
    "BroadcastForm",
    "RetryEditForm",
    "RetryForm",
    "RoutesForm",
    "ScheduleForm",
]
