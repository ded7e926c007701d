"""The gateway and the phone of the tests about retransmission, here too."""

from __future__ import annotations

from tests.messaging.retransmission.conftest import gateway as gateway
from tests.messaging.retransmission.conftest import phone as phone
