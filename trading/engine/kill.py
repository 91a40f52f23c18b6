"""The kill switch's second half. The press itself has already closed the gate for entries (REDUCING, committed)."""

import asyncio
from collections.abc import Mapping
from typing import Any

from trading.domain.control import TradingState
from trading.domain.kill_words import result_words
from trading.domain.orders import IntentState, Purpose
from trading.engine.client import ClientBook
from trading.engine.crash_points import crash_at
from trading.engine.flatten import Flattener, FlattenOrder
from trading.engine.tools import Tools
from trading.ports import Command


class KillSwitch:
    """Cancels, flattens where that was chosen, confirms with the broker, and lowers to HALTED when flat.

    The same for the house, a client and one account of a client.
    """

    def __init__(self, tools: Tools, flattener: Flattener) -> None:
        self._tools = tools
        self._flattener = flattener

    async def carry_out(self, command: Command, clients: list[ClientBook]) -> dict[str, Any]:
        """Do it for all clients at once and give what was measured, in milliseconds since the press.

        `gate_ms`: this engine knew. `last_entry_ms`: the last entry left for the broker; 0 when none did after the
        press. `cancels_ms`: no entry works any more. `flat_ms`: the broker showed it flat; None when it was not asked
        to be, or could not be seen.
        """
        pressed = self._pressed_at(command)
        gate_ms = self._since(pressed)
        results = await asyncio.gather(*(self._one(client, command, pressed) for client in clients))
        is_flat = all(result["flat_ms"] is not None for result in results)
        for client, result in zip(clients, results, strict=True):
            told = {**result, "gate_ms": gate_ms, "path": command.path, "text": result_words(result)}
            self._tools.journal.record("KILL_DONE", client.client_id, told, account=command.account_key)
        whole = {"gate_ms": gate_ms, **_whole(results)}
        if command.client_id is None:
            self._tools.journal.record("KILL_DONE", None, {**whole, "path": command.path, "text": result_words(whole)})
        if is_flat:  # after what was measured: the database may be away
            await self._halt(command.client_id, command.account_key, "kill switch: flat, confirmed by the broker")
        return whole

    async def _one(self, client: ClientBook, command: Command, pressed: float) -> dict[str, Any]:
        """Stop the entries, and at the same time close what is open: an entry in doubt holds no exit up."""
        leaves = self._leaves_positions(client, command.arguments)
        account = command.account_key or None
        order = FlattenOrder(
            client, Purpose.KILL, {"rule": "kill switch"}, account=account, ends_day=False, skips_untouched=True
        )
        stopping = asyncio.ensure_future(self._stop_entries(order, pressed))
        try:
            if not leaves:
                await self._flattener.flatten(order)
            measured = await stopping
        finally:
            stopping.cancel()
        unseen = self._unseen(client, account)
        if leaves or unseen:
            return {**measured, "flat_ms": None, "left_open": self._open(client, account), "unconfirmed": unseen}
        return {**measured, "flat_ms": self._since(pressed), "left_open": {}, "unconfirmed": []}

    async def _stop_entries(self, order: FlattenOrder, pressed: float) -> dict[str, int]:
        """Cancel entries, also those of another life once the broker told of them; give the measured milliseconds."""
        changed = self._tools.changed
        self._cancel_entries(order)
        await changed.until(lambda: all(desk.is_restored for desk in order.desks()))
        self._cancel_entries(order)
        crash_at("kill_half_way")
        await changed.until(lambda: not self._works(order))
        cancels_ms = self._since(pressed)
        await changed.until(lambda: not any(line.live_entries for line in order.lines()))
        last_entry = max([pressed, *(desk.last_entry_at for desk in order.desks())])
        return {"last_entry_ms": round((last_entry - pressed) * 1000), "cancels_ms": cancels_ms}

    def _cancel_entries(self, order: FlattenOrder) -> None:
        with self._tools.work.doing():
            for line in order.lines():
                line.cancel_entries()

    async def _halt(self, client_id: int | None, account_key: str, reason: str) -> None:
        store = self._tools.store
        await self._tools.until_stored(
            lambda: store.lower_state(client_id, TradingState.HALTED, reason, account_key=account_key), "HALTED"
        )

    def _pressed_at(self, command: Command) -> float:
        """Give the press on the wire clock: the row's wall time, never later than now."""
        late_s = 0.0
        if command.asked_wall is not None:
            late_s = max(0.0, (self._tools.clock.wall() - command.asked_wall).total_seconds())
        return self._tools.clock.monotonic() - late_s

    def _since(self, pressed: float) -> int:
        return round((self._tools.clock.monotonic() - pressed) * 1000)

    @staticmethod
    def _works(order: FlattenOrder) -> bool:
        """Say whether an entry is on its way to the broker, or works there. One in doubt cannot be cancelled yet."""
        live = [working for line in order.lines() for working in line.live_entries]
        return any(working.state is not IntentState.IN_DOUBT for working in live)

    @staticmethod
    def _leaves_positions(client: ClientBook, arguments: Mapping[str, Any]) -> bool:
        leaves = arguments.get("leave_positions")
        return not client.policy.squares_off_on_kill if leaves is None else bool(leaves)

    @staticmethod
    def _unseen(client: ClientBook, account: str | None) -> list[str]:
        """Name the accounts whose positions nobody could see: without a session and untouched, or not served at all."""
        desks = {desk.ref.key: desk for desk in client.desks if account in (None, desk.ref.key)}
        missing = [account] if account is not None and account not in desks else []
        return missing + [key for key, desk in desks.items() if desk.is_untouched]

    @staticmethod
    def _open(client: ClientBook, account: str | None) -> dict[str, int]:
        lines = [line for line in client.lines() if account in (None, line.ref.key)]
        return {line.instrument: line.net for line in lines if line.net}


def _whole(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the clients' results: the slowest counts."""
    flats = [result["flat_ms"] for result in results]
    return {
        "last_entry_ms": max((result["last_entry_ms"] for result in results), default=0),
        "cancels_ms": max((result["cancels_ms"] for result in results), default=0),
        "flat_ms": None if None in flats else max(flats, default=0),
        "flat": None not in flats,
        "left_open": {key: units for result in results for key, units in result["left_open"].items()},
        "unconfirmed": [account for result in results for account in result["unconfirmed"]],
    }
