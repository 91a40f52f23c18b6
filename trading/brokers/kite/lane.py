"""One account's blocking SDK on a thread of its own, with a deadline for the whole call. Orders go before reads."""

import asyncio
import heapq
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Sdk = TypeVar("Sdk")
Answer = TypeVar("Answer")

ORDER_WAITS_S = 1.0
"""Wire seconds that an order waits for the read under way: what the gate said of it holds only so long."""


class Overdue(Exception):
    """The call took longer than it may; whether the broker heard it is not known."""


class Lane(Generic[Sdk]):
    """Runs calls one at a time. A call that overruns is left behind with its thread and its connection,
    and the next one gets new ones: `requests` deadlines hold for each read only, so a body that drips
    would otherwise block the account for ever."""

    def __init__(self, name: str, make: Callable[[], Sdk]) -> None:
        self._name = name
        self._make = make
        self._is_taken = False
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._makes_way: asyncio.Future[None] | None = None
        """Set to have the read under way end; None while there is none."""
        self._renew()

    def _renew(self) -> None:
        self._sdk = self._make()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)

    async def run(self, call: Callable[[Sdk], Answer], *, deadline_s: float, is_order: bool = False) -> Answer:
        """Run `call(sdk)` in the thread. `deadline_s` is wire time. Raises Overdue, or what it raises."""
        await self._take_turn(is_order=is_order)
        try:
            makes_way = asyncio.get_running_loop().create_future()
            self._makes_way = None if is_order else makes_way
            answer = asyncio.wrap_future(self._thread.submit(call, self._sdk))
            try:
                await asyncio.wait({answer, makes_way}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not answer.done():
                    self._abandon(answer)
            if answer.done():
                return answer.result()
            raise Overdue("it made way for an order" if makes_way.done() else f"no answer within {deadline_s:g} s")
        finally:
            self._makes_way = None
            self._give_turn()

    async def _take_turn(self, *, is_order: bool) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not is_order, next(self._numbers), turn))
        try:
            if is_order:
                await asyncio.wait({turn}, timeout=ORDER_WAITS_S)
                if not turn.done() and self._makes_way is not None and not self._makes_way.done():
                    self._makes_way.set_result(None)
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_turn()
            raise

    def _give_turn(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False

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
