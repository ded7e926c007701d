"""The WSGI door of the local web server: its workers die with their master."""

from __future__ import annotations

import os
import signal

from resend_admin.local.leash import die_with_parent
from resend_admin.wsgi import application

# A master that is killed cannot stop its workers, which would keep the port.
die_with_parent(signal.SIGKILL, os.getppid())

__all__ = ["application"]
