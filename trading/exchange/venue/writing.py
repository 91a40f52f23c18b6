"""When the ledger is written: at once, or once for everything that was asked in one turn of the event loop.

A transaction costs more than an order does. Whoever asked waits for `written` before it answers, and the matching that
follows in the same turn is part of the same transaction.
"""

import asyncio
from collections.abc import Callable

Later = Callable[[Callable[[], None]], object]
"""Calls a function in the loop's next turn, behind what is due there already: `loop.call_soon`."""


class Writing:
    """Knows whether something waits to be written, and who waits for it. Without `later` nothing ever does."""

    def __init__(self, write: Callable[[], None]) -> None:
        """`write` writes what has changed, and calls `done` or `failed`."""
        self.later: Later | None = None
        self._write = write
        self._is_due = False
        self._waiting: list[asyncio.Future[None]] = []

    def soon(self) -> None:
        """Write in the next turn, at once without one."""
        if self.later is None:
            self._write()
        elif not self._is_due:
            self._is_due = True
            self.later(self._write_if_due)

    def _write_if_due(self) -> None:
        if self._is_due:
            self._write()

    def done(self) -> None:
        """Hear that all changes so far are on disk."""
        self._is_due = False
        for one in self._take_waiting():
            one.set_result(None)

    def failed(self, error: Exception) -> None:
        """Hear that the changes could not be written: whoever waits is told."""
        self._is_due = False
        for one in self._take_waiting():
            one.set_exception(error)

    async def written(self) -> None:
        """Wait until everything asked for so far is on disk. Raises what the write raised."""
        if self._is_due:
            one: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(one)
            await one

    def _take_waiting(self) -> list[asyncio.Future[None]]:
        waiting, self._waiting = self._waiting, []
        return [one for one in waiting if not one.done()]  # its client may have gone
