"""Mutual funds: the six schemes on offer, their daily NAV, and the values of orders and SIPs. Everything is made up.

NAVs are integers of 1/10,000 rupee, units integers of 1/1000 unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from trading.domain.money import PRICE_SCALE
from trading.domain.orders import Side
from trading.exchange.market.randomness import mix

UNIT_SCALE = 1000
OPEN, COMPLETE, CANCELLED = "OPEN", "COMPLETE", "CANCELLED"
ACTIVE, PAUSED, COMPLETED = "ACTIVE", "PAUSED", "COMPLETED"
ENDLESS = -1
"""Instalments of a SIP that goes on until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Fund:
    """One scheme. Amounts are rupees; `base_nav` is what its NAV wanders around."""

    tradingsymbol: str
    amc: str
    name: str
    scheme_type: str
    plan: str
    dividend_type: str
    base_nav: int
    minimum_rupees: int = 1000
    additional_rupees: int = 500
    can_buy: bool = True
    can_sell: bool = True

    def nav(self, day: date) -> int:
        """Give the NAV of a day: within 2 % of the base, the same for everybody at all times."""
        chance = mix(day.toordinal() * 1_000_003 + self.base_nav) % 401 - 200
        return self.base_nav + self.base_nav * chance // 10_000


def _fund(symbol: str, name: str, scheme: str, nav: int, **more: bool | str | int) -> Fund:
    words = {"plan": "direct", "dividend_type": "growth"} | more
    return Fund(symbol, "SimulatedMutualFund_MF", name, scheme, base_nav=nav * PRICE_SCALE // 100, **words)  # type: ignore[arg-type]


FUNDS: Mapping[str, Fund] = {
    fund.tradingsymbol: fund
    for fund in (
        _fund("INF0SIM01GR1", "Simulated Large Cap Fund - Direct Plan", "equity", 10_432),
        _fund("INF0SIM01DV9", "Simulated Large Cap Fund - Direct Plan", "equity", 4_275, dividend_type="payout"),
        _fund("INF0SIM02GR9", "Simulated Flexi Cap Fund - Regular Plan", "equity", 5_280, plan="regular"),
        _fund("INF0SIM03GR7", "Simulated Liquid Fund - Direct Plan", "debt", 208_150, minimum_rupees=5000),
        _fund("INF0SIM04GR5", "Simulated Tax Saver Fund - Direct Plan", "elss", 8_486, can_sell=False),
        _fund("INF0SIM05GR3", "Simulated Small Cap Fund - Direct Plan", "equity", 15_130, can_buy=False),
    )
}
FIRST_HOLDING = ("INF0SIM01GR1", 100 * UNIT_SCALE, 10_000 * PRICE_SCALE // 100)
"""Every account begins with these units at this NAV, so that the holdings are not an empty list."""


def last_nav_day(day: date) -> date:
    """Give the day of the newest known NAV: the weekday before a market day."""
    before = day - timedelta(days=1)
    while before.weekday() > 4:
        before -= timedelta(days=1)
    return before


def units_for(amount: int, nav: int) -> int:
    """Give the units that an amount (scaled rupees) buys, cut to a thousandth."""
    return int((Decimal(amount) * UNIT_SCALE / nav).to_integral_value(ROUND_DOWN))


@dataclass(frozen=True, slots=True)
class FundOrder:
    """One order. `amount` is scaled rupees of a buy, `quantity` thousandths of a unit: asked (sell) or allotted."""

    order_id: str
    number: int
    user_id: str
    symbol: str
    side: Side
    amount: int
    quantity: int
    variety: str
    is_fresh: bool
    tag: str
    placed_ms: int
    status: str = OPEN
    nav: int = 0
    settled_on: str = ""
    """The ISO day of the NAV it was settled at, empty while it is not."""


@dataclass(frozen=True, slots=True)
class FundHolding:
    """Units of one fund and what they cost each."""

    symbol: str
    quantity: int
    average_nav: int


@dataclass(frozen=True, slots=True)
class Sip:
    """One systematic plan. `amount` is scaled rupees, days are ISO texts, `day` is 0 but for a monthly plan."""

    sip_id: str
    user_id: str
    symbol: str
    amount: int
    instalments: int
    frequency: str
    day: int
    tag: str
    created_ms: int
    last_ms: int
    next_on: str
    done: int = 0
    status: str = ACTIVE

    @property
    def pending(self) -> int:
        """Instalments still to come, ENDLESS for a plan without an end."""
        return ENDLESS if self.instalments == ENDLESS else self.instalments - self.done
