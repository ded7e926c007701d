"""``send_queued_mail`` of django-post_office, after waiting at the gate.

``python -m benchmarks.contenders.post_office_sender fill <messages>`` queues first.
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command

from benchmarks.contenders import wire
from benchmarks.contenders.gate import finish, wait_at_gate


def fill(messages: int) -> None:
    from post_office import mail

    call_command("migrate", interactive=False, verbosity=0)
    mail.send_many(
        [
            {
                "recipients": f"{wire.recipient(number).lstrip('+')}@wa.example",
                "sender": "team@example.org",
                "subject": "Renewal",
                "message": wire.text(),
            }
            for number in range(messages)
        ]
    )


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]))
    else:
        wait_at_gate()
        tuned = os.environ["PEER_IS_TUNED"] == "yes"
        call_command("send_queued_mail", processes=os.cpu_count() if tuned else 1)
        finish()
