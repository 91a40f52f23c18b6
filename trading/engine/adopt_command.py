"""A person's wish that the broker's word for a position be believed. It sends nothing; a refusal is a sentence."""

from collections.abc import Mapping
from typing import Any

from trading.domain.drift import Drift
from trading.domain.money import signed
from trading.domain.positions import PositionKey
from trading.engine.house import AccountParts, House
from trading.engine.tools import Tools
from trading.ports import Command

SECOND_LOOK_S = 1.0
"""Wire seconds between the two looks that must show the same."""


class AdoptCommand:
    """Carries out ADOPT commands: {account_key, instrument, product, shown (signed units), by}."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house

    async def carry_out(self, command: Command) -> dict[str, Any]:
        """Look twice, and adopt what still stands there as it was shown; safe to run again after a crash."""
        wish = command.arguments
        parts = self._house.accounts.get(str(wish["account_key"]))
        if parts is None or parts.desk.ref.client_id != command.client_id:
            return _refused(f"{wish['account_key']} is not an account of this client")
        key = PositionKey(str(wish["instrument"]), str(wish["product"]))
        why_not = await self._why_not(parts, key, wish)
        if why_not:
            return _refused(why_not)
        by = str(wish.get("by", "the command line"))
        adoption = await parts.adopter.adopt(key, f"command:{command.command_id}", "by hand", by=by)
        await parts.reconciler.look()
        text = f"{key.instrument} {key.product} counts as {signed(adoption.net_quantity)} from now on"
        return {"adopted": True, "text": text}

    async def _why_not(self, parts: AccountParts, key: PositionKey, wish: Mapping[str, Any]) -> str:
        for look in range(2):
            if look:
                await self._tools.clock.sleep(SECOND_LOOK_S)
            await parts.reconciler.look()
            if parts.reconciler.unread:
                return f"the broker could not be read: {parts.reconciler.unread}"
            drift = next((d for d in parts.reconciler.drifts if (d.instrument, d.product) == key), None)
            why_not = self._judge(parts, key, drift, int(wish["shown"]))
            if why_not:
                return why_not
        return ""

    @staticmethod
    def _judge(parts: AccountParts, key: PositionKey, drift: Drift | None, shown: int) -> str:
        if drift is None:
            return "our count and the broker's agree by now, so there is nothing to adopt"
        if drift.theirs != shown:
            there = "no row" if drift.theirs is None else signed(drift.theirs)
            return f"the broker shows {there} by now, not {signed(shown)}: look again"
        if not drift.may_be_adopted:
            return f"not adopted, because {drift.text}"
        if any(working.may_fill for working in parts.desk.orders.of(key.instrument)):
            return "an order of ours works there: what it fills would be counted twice; wait until it is done"
        return ""


def _refused(text: str) -> dict[str, Any]:
    return {"adopted": False, "text": text}
