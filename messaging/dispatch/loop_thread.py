"""A running event loop in a thread of its own, for callers that are not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self, TypeVar

Returned = TypeVar("Returned")


class LoopThread:
    """An event loop that goes on while its owner is busy with something else.

    Open it as a context. What is still under way at its end is cancelled.
    """

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._keep, name=name)
        self._opened: Future[asyncio.AbstractEventLoop] = Future()
        self._closing: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop = self._opened.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def run(self, coroutine: Coroutine[Any, Any, Returned]) -> Returned:
        """Run a coroutine there; wait, and return or raise what it does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called there soon, and wait for nothing."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def _keep(self) -> None:
        try:
            with asyncio.Runner() as runner:
                # Opened before there is a coroutine that would wait for it in vain.
                runner.get_loop()
                runner.run(self._stay_open())
        except BaseException as error:
            if self._opened.done():
                raise
            # Such as no more open files; whoever wants to run something is told.
            self._opened.set_exception(error)

    async def _stay_open(self) -> None:
        self._closing = asyncio.Event()
        self._opened.set_result(asyncio.get_running_loop())
        await self._closing.wait()
