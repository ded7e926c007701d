"""The sandbox as a process: ``python -m resend_admin.sandbox``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from resend_admin.sandbox.desk import Options
from resend_admin.sandbox.server import HOST, Server


def main() -> int:
    arguments = _arguments()
    options = Options(
        seed=arguments.seed,
        failure_rate=arguments.failure_rate,
        delivery_delay=arguments.delivery_delay,
        pace=arguments.pace,
    )
    return asyncio.run(
        _serve(
            Server(arguments.log, options, arguments.hooks_url),
            arguments.port,
            arguments.smtp_port,
        )
    )


async def _serve(server: Server, port: int, smtp_port: int) -> int:
    # A process started in the background inherits SIGINT as ignored, so both
    # signals get a handler of their own.
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await server.start(port, smtp_port)
        sys.stdout.write(
            f"Sandbox ready: http://{HOST}:{server.port},"
            f" SMTP {HOST}:{server.smtp_port}, log {server.log_path}\n"
        )
        sys.stdout.flush()
        await stop.wait()
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen: {error.strerror}.\n")
        return 1
    finally:
        await server.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m resend_admin.sandbox",
        description="Stand-in providers on 127.0.0.1: WhatsApp, Telegram, SMS, mail.",
    )
    parser.add_argument("--port", type=int, default=8025, help="of HTTP (8025)")
    parser.add_argument("--smtp-port", type=int, default=8026, help="of SMTP (8026)")
    parser.add_argument(
        "--log",
        type=Path,
        default=Path(".local/sandbox.jsonl"),
        help="file that everything is appended to (.local/sandbox.jsonl)",
    )
    parser.add_argument(
        "--hooks-url",
        default="",
        help="where the application takes receipts in this run, as http://…/hooks;"
        " hooks remembered from an earlier run move there",
    )
    parser.add_argument("--seed", type=int, default=7, help="of the failures (7)")
    parser.add_argument(
        "--failure-rate",
        type=_share,
        default=0.03,
        help="share of ordinary numbers that fail, 0 to 1 (0.03)",
    )
    parser.add_argument(
        "--delivery-delay",
        type=_seconds,
        default=0.5,
        help="seconds until a message is usually delivered (0.5)",
    )
    parser.add_argument(
        "--pace",
        type=_seconds,
        default=1.0,
        help="factor on long waits, as of numbers ending in 0003 (1)",
    )
    return parser.parse_args()


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
