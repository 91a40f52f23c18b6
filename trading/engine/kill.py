"""The kill switch's second half. The press itself has already closed the gate for entries (REDUCING, committed)."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from trading.domain.control import TradingState
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import IntentState, Purpose
from trading.engine.client import ClientBook
from trading.engine.orders import Working
from trading.engine.square_off import Flattener, FlattenOrder
from trading.engine.tools import Tools
from trading.ports import Command

logger = logging.getLogger(__name__)

STORE_RETRY_S = 0.5


class KillSwitch:
    """Cancels, flattens where that was chosen, confirms with the broker, and lowers to HALTED when flat."""

    def __init__(self, tools: Tools, flattener: Flattener) -> None:
        self._tools = tools
        self._flattener = flattener

    async def carry_out(self, command: Command, clients: list[ClientBook]) -> dict[str, Any]:
        """Do it for all clients at once and give what was measured, in milliseconds since the press."""
        pressed = self._pressed_at(command)
        results = await asyncio.gather(*(self._one(client, command, pressed) for client in clients))
        if command.client_id is None and all(result["flat_ms"] is not None for result in results):
            await self._lower(None, "kill switch: flat, confirmed by the brokers")
        for client, result in zip(clients, results, strict=True):
            self._tools.journal.record("KILL_DONE", client.client_id, {**result, "text": _words(result)})
        return _whole(results)

    async def _one(self, client: ClientBook, command: Command, pressed: float) -> dict[str, Any]:
        with self._tools.work.doing():
            for line in client.lines():
                line.cancel_entries()
        await self._tools.changed.until(lambda: not self._being_sent(client))
        last_entry_ms = self._since(pressed)
        await self._tools.changed.until(lambda: not any(line.live_entries for line in client.lines()))
        cancels_ms = self._since(pressed)
        measured = {"last_entry_ms": last_entry_ms, "cancels_ms": cancels_ms}
        if self._leaves_positions(client, command.arguments):
            return {**measured, "flat_ms": None, "left_open": self._open(client)}
        order = FlattenOrder(client, Purpose.KILL, {"rule": "kill switch"}, ends_day=False)
        await self._flattener.flatten(order)
        if command.client_id is not None:
            await self._lower(client.client_id, "kill switch: flat, confirmed by the broker")
        return {**measured, "flat_ms": self._since(pressed), "left_open": {}}

    async def _lower(self, client_id: int | None, reason: str) -> None:
        while True:
            try:
                with self._tools.work.doing():
                    await self._tools.store.lower_state(client_id, TradingState.HALTED, reason)
                return
            except StoreUnavailable as error:
                logger.warning("HALTED waits for the database: %s", error)
                await self._tools.clock.sleep(STORE_RETRY_S)

    def _pressed_at(self, command: Command) -> float:
        """Give the press on the wire clock: the row's wall time, never later than now."""
        late_s = 0.0
        if command.asked_wall is not None:
            late_s = max(0.0, (self._tools.clock.wall() - command.asked_wall).total_seconds())
        return self._tools.clock.monotonic() - late_s

    def _since(self, pressed: float) -> int:
        return round((self._tools.clock.monotonic() - pressed) * 1000)

    @staticmethod
    def _being_sent(client: ClientBook) -> list[Working]:
        """Give entries that were claimed before the press and whose answer is not there yet."""
        return [
            working
            for line in client.lines()
            for working in line.live_entries
            if working.state in (IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT)
        ]

    @staticmethod
    def _leaves_positions(client: ClientBook, arguments: Mapping[str, Any]) -> bool:
        leaves = arguments.get("leave_positions")
        return not client.policy.squares_off_on_kill if leaves is None else bool(leaves)

    @staticmethod
    def _open(client: ClientBook) -> dict[str, int]:
        return {line.instrument: line.net for line in client.lines() if line.net}


def _whole(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the clients' results: the slowest counts."""
    flats = [result["flat_ms"] for result in results]
    return {
        "last_entry_ms": max((result["last_entry_ms"] for result in results), default=0),
        "cancels_ms": max((result["cancels_ms"] for result in results), default=0),
        "flat_ms": None if None in flats else max(flats, default=0),
        "flat": None not in flats,
        "left_open": {key: units for result in results for key, units in result["left_open"].items()},
    }


def _words(result: Mapping[str, Any]) -> str:
    entries = f"no entry after {result['last_entry_ms']} ms, cancels done after {result['cancels_ms']} ms"
    if result["flat_ms"] is None:
        left = ", ".join(f"{units:+d} {key}" for key, units in result["left_open"].items()) or "nothing"
        return f"{entries}; positions were left open: {left}"
    return f"{entries}, flat after {result['flat_ms']} ms, confirmed by the broker"
