"""One account's blocking SDK on a thread of its own: its reads, each with a deadline for the whole call."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Sdk = TypeVar("Sdk")
Answer = TypeVar("Answer")


class Overdue(Exception):
    """The call took longer than it may; whether the broker heard it is not known."""


class Lane(Generic[Sdk]):
    """Runs calls one at a time. A call that overruns is left behind with its thread and its connection,
    and the next one gets new ones: `requests` deadlines hold for each read only, so a body that drips
    would otherwise block the account for ever."""

    def __init__(self, name: str, make: Callable[[], Sdk]) -> None:
        self._name = name
        self._make = make
        self._turn = asyncio.Lock()
        self._renew()

    def _renew(self) -> None:
        self._sdk = self._make()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)

    async def run(self, call: Callable[[Sdk], Answer], *, deadline_s: float) -> Answer:
        """Run `call(sdk)` in its turn; `deadline_s` is wire time from there on. Raises Overdue, or what it raises."""
        async with self._turn:
            answer = asyncio.wrap_future(self._thread.submit(call, self._sdk))
            try:
                await asyncio.wait({answer}, timeout=deadline_s)
            finally:
                if not answer.done():
                    self._abandon(answer)
            if answer.done():
                return answer.result()
            raise Overdue(f"no answer within {deadline_s:g} s")

    def _abandon(self, answer: "asyncio.Future[Answer]") -> None:
        thread = self._thread
        self._renew()
        thread.shutdown(wait=False)
        answer.add_done_callback(self._note_late)

    def _note_late(self, answer: "asyncio.Future[Answer]") -> None:
        error = None if answer.cancelled() else answer.exception()
        logger.warning("%s: an overdue call ended late: %s", self._name, type(error).__name__ if error else "answered")

    def close(self) -> None:
        """Take no more calls. A call that is under way ends in the background."""
        self._thread.shutdown(wait=False, cancel_futures=True)
