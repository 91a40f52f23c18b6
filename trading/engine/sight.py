"""What the gate looks at when it judges one account's orders, and what a check finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trading.domain.caps import HouseCaps
from trading.domain.instruments import Instrument
from trading.domain.risk import Denial
from trading.domain.ticks import Tick
from trading.engine.client import ClientBook, LastPrice
from trading.engine.control_state import ControlState
from trading.engine.desk import AccountDesk
from trading.engine.orders import Working
from trading.engine.tools import Tools


@dataclass(frozen=True)
class Sight:
    """One account and everything that bears on its orders. `caps` gives None while the house's are not known."""

    tools: Tools
    control: ControlState
    client: ClientBook
    desk: AccountDesk
    instrument_of: Callable[[str], Instrument | None]
    last_tick: Callable[[str], Tick | None]
    last_price: LastPrice
    quoted: LastPrice
    caps: Callable[[], HouseCaps | None]

    def instrument(self, working: Working) -> Instrument | None:
        """Give the instrument of an order, None when it is not among today's plans."""
        return self.instrument_of(working.intent.key.instrument)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: a denial or none, and the facts it judged by (JSON-able, money as strings)."""

    denial: Denial | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
