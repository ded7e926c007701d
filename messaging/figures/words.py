"""What each figure means, once for the code and once for the page."""

from __future__ import annotations

from typing import Final

ARRIVED: Final = (
    "Arrived means delivered or read; on channels whose provider sends no delivery"
    " reports, it means accepted by the provider."
)
SUCCESS_RATE: Final = (
    "Of the tries whose outcome is known, the share that arrived. Tries that are still"
    " without a delivery report, or unknown, are left out until it is."
)
RESEND_NUMBER: Final = (
    "Resend 1 is the first try after the first send. The tries of a retried broadcast"
    " count on: if somebody was tried twice before, the retry is resend 2."
)
RECOVERED: Final = (
    "Messages that failed, or whose outcome was unknown, and arrived by a later try."
    " Each counts once, by the try that arrived first."
)
RECOVERY_TIME: Final = (
    "From the first failure to the arrival, for messages that arrived after all."
    " Exact to 5 %."
)
RECOVERY_COST: Final = (
    "Credits charged for the tries that arrived. Tries that failed cost nothing."
)
DAYS: Final = (
    "Each person's message counts once, on the day it was first sent, and where it"
    " stands now: an arrival by a later retry counts on the first day too."
)
CAUSES: Final = (
    "How many tries failed for each cause, and what became of the tries that answered"
    " such a failure."
)
