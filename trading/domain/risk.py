"""One small check a rule: a `Denial`, or None when the rule lets the order pass.

The rules fail closed: what is unknown (no tick, no price) denies an entry. Exits are held only by
`check_reduce_only`. Money is rupees, quantities units, "at the limit" counts as reached.
"""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from trading.domain.calendar import MarketCalendar
from trading.domain.caps import Cap
from trading.domain.instruments import InstrumentClass
from trading.domain.money import to_paisa
from trading.domain.timezone import to_ist

FEED_STALE_AFTER_S = 3
"""Market seconds after which a feed, or a tick, lets no entry pass and is shown as stale: one number everywhere."""
SIGNAL_HOLDS_S = 10
"""Market seconds after which an entry that was decided is not sent any more: it waited too long for its turn."""
FEED_SILENT_WIRE_S = 1.0
"""A market that moves in steps jumps: a feed is silent only when so much real time passed as well."""


def feed_stale_after_s(speed: float = 1.0) -> float:
    """Give the market seconds after which a feed is stale in a market that moves `speed` times as fast as the wall."""
    return max(FEED_STALE_AFTER_S, speed * FEED_SILENT_WIRE_S)


@dataclass(frozen=True, slots=True)
class Denial:
    """An expected no. `code` is a stable word, `message` a sentence with the values."""

    code: str
    message: str


def reduces(*, net_quantity: int, signed_quantity: int) -> bool:
    """Say whether an order shrinks a position and does not flip it; a flat position cannot be reduced."""
    return net_quantity * signed_quantity < 0 and abs(signed_quantity) <= abs(net_quantity)


def check_reduce_only(*, net_quantity: int, working_exit_quantity: int, signed_quantity: int) -> Denial | None:
    """Hold an exit that, with the exits already working, is more than what is open.

    `working_exit_quantity` is the unsigned units of live exit orders that have not filled yet.
    """
    free = abs(net_quantity) - working_exit_quantity
    if reduces(net_quantity=net_quantity, signed_quantity=signed_quantity) and abs(signed_quantity) <= free:
        return None
    leaving = f", {working_exit_quantity} leaving already" if working_exit_quantity else ""
    return Denial("NOT_REDUCING", f"an exit of {signed_quantity:+d} was more than the {net_quantity:+d} open{leaving}")


def check_session(calendar: MarketCalendar, now: datetime, instrument_class: InstrumentClass) -> Denial | None:
    """Deny an entry on a holiday, an unknown day, or outside continuous trading. `now` is aware."""
    reason = calendar.why_no_entries(now, instrument_class)
    return Denial("MARKET_CLOSED", reason) if reason else None


def check_entry_cutoff(now: datetime, no_new_entry_after: time) -> Denial | None:
    """Deny an entry at or after the client's IST cut-off. `now` is aware."""
    at = to_ist(now).time()
    if at < no_new_entry_after:
        return None
    return Denial("ENTRY_CUTOFF", f"no entries from {no_new_entry_after}, it was {at:%H:%M:%S}")


def check_day_limits(
    *,
    realised: Decimal,
    unrealised: Decimal,
    loss_limit: Decimal | None,
    profit_limit: Decimal | None,
) -> Denial | None:
    """Deny entries, and tell the engine to square off, once the day's P&L is at or beyond a limit.

    Both limits are positive rupees; None means no limit. Realised and unrealised count together, so that a
    closed loser never improves the day.
    """
    total = realised + unrealised
    reached = f"the day's P&L of {to_paisa(total)} reached the"
    if loss_limit is not None and total <= -loss_limit:
        return Denial("DAILY_LOSS_LIMIT", f"{reached} loss limit of {loss_limit}")
    if profit_limit is not None and total >= profit_limit:
        return Denial("DAILY_PROFIT_LIMIT", f"{reached} profit limit of {profit_limit}")
    return None


def check_trades_today(trades: int, *, cap: Cap[int]) -> Denial | None:
    """Deny an entry when as many were made today already."""
    if trades < cap.value:
        return None
    return Denial("MAX_TRADES_PER_DAY", f"{trades} trades were made today, {cap.words()}")


def check_open_positions(open_positions: int, *, cap: Cap[int]) -> Denial | None:
    """Deny an entry that would open one position more than the cap. Count working entries as open."""
    if open_positions < cap.value:
        return None
    return Denial("MAX_OPEN_POSITIONS", f"{open_positions} positions were open, {cap.words()}")


def check_order_quantity(quantity: int, *, cap: Cap[int]) -> Denial | None:
    """Deny an entry of more units than the cap; exactly at it passes. Count all slices of one entry together."""
    if 0 < quantity <= cap.value:
        return None
    return Denial("MAX_ORDER_QUANTITY", f"the entry was for {quantity} units, {cap.words()}")


def check_order_value(*, quantity: int, price: Decimal, cap: Cap[Decimal]) -> Denial | None:
    """Deny an entry worth more than the cap; a value exactly at it passes (it is a size, not a loss)."""
    value = price * quantity
    if 0 < value <= cap.value:
        return None
    return Denial("MAX_ORDER_VALUE", f"the order was worth {value}, {cap.words()}")


def check_price_collar(*, price: Decimal, reference: Decimal | None, cap: Cap[Decimal]) -> Denial | None:
    """Deny a price further (in percent) than the cap from a trusted reference: yesterday's close, a REST quote."""
    if reference is None or reference <= 0:
        return Denial("NO_REFERENCE_PRICE", f"no reference price was known for {price}")
    if price > 0 and abs(price - reference) * 100 <= cap.value * reference:
        return None
    return Denial("PRICE_COLLAR", f"price {price} was too far from {reference}: {cap.words()}, in percent")


def check_tick_age(*, age_s: Decimal | None, limit_s: Decimal) -> Denial | None:
    """Deny an entry on a tick that is missing, older than the limit, or dated in the future by more than it."""
    if age_s is None:
        return Denial("NO_TICK", "no tick has come today")
    if abs(age_s) <= limit_s:
        return None
    return Denial("STALE_TICK", f"the last tick was {age_s} s old, the limit is {limit_s} s")


def check_signal_age(*, age_s: Decimal, limit_s: Decimal) -> Denial | None:
    """Deny an entry that was decided too long ago (it waited for the rate budget or the database)."""
    if age_s <= limit_s:
        return None
    return Denial("SIGNAL_EXPIRED", f"the entry was decided {age_s} s ago, the limit is {limit_s} s")
