"""TCP ports on 127.0.0.1 that stay the same from one start to the next."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections, so
# that a port chosen once is still free at the next start.
CHOICE = range(20_000, 30_000)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it as well: connections that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(avoid: frozenset[int] = frozenset()) -> int:
    """Return a port on which nothing listens."""
    return next(
        port
        for port in random.sample(CHOICE, len(CHOICE))
        if port not in avoid and is_free(port)
    )


class Ports:
    """Ports by name, remembered in a file and chosen anew when taken."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.chosen: dict[str, int] = dict(json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            self.chosen = {}

    def claim(self, name: str) -> int:
        port = self.chosen.get(name, 0)
        if not port or not is_free(port):
            self.chosen[name] = port = free_port(frozenset(self.chosen.values()))
            self.file.write_text(json.dumps(self.chosen, indent=2, sort_keys=True))
        return port
