"""How much an order and a position block. Exact: scaled integers, rounded up once to the paisa.

MIS in a stock needs a fifth of the value (5x), delivery all of it; a bought option its premium, any other
derivative a fifth. Only the part of an order that increases a position needs margin, so an exit never does.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import PRICE_SCALE
from trading.domain.orders import Side
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.orders import Order
from trading.exchange.venue.positions import Position

PAISA_SCALED = PRICE_SCALE // 100
LEVERAGE = 5
OPTIONS = (InstrumentType.CE, InstrumentType.PE)


class Part(StrEnum):
    """What margin is taken for; the broker shows each apart."""

    DELIVERY = "delivery"
    INTRADAY = "intraday"
    SPAN = "span"
    OPTION_PREMIUM = "option_premium"


def part_of(instrument: Instrument, product: str, side: Side) -> Part:
    """Say what the margin of a position on one side is taken for."""
    if instrument.instrument_type is InstrumentType.EQ:
        return Part.DELIVERY if product == "CNC" else Part.INTRADAY
    is_bought_option = instrument.instrument_type in OPTIONS and side is Side.BUY
    return Part.OPTION_PREMIUM if is_bought_option else Part.SPAN


def leverage_of(instrument: Instrument, product: str) -> int:
    """Give how many times its own money a client may buy: 1 for delivery and derivatives."""
    is_intraday = part_of(instrument, product, Side.BUY) is Part.INTRADAY
    return LEVERAGE if is_intraday else 1


def _blocked(value: int, divisor: int) -> int:
    """Divide a scaled value and round up to a whole paisa."""
    return -(-value // (divisor * PAISA_SCALED)) * PAISA_SCALED


def _divisor(instrument: Instrument, product: str, side: Side) -> int:
    if instrument.instrument_type in OPTIONS:
        return 1 if side is Side.BUY else LEVERAGE
    return 1 if product == "CNC" else LEVERAGE


def reference_price(order: Order) -> int:
    """Give the price at which an order is valued: its limit, or the trigger of a stop without one."""
    return order.terms.price or order.terms.trigger_price


def opening_part(account: Account, order: Order) -> int:
    """Give the units of an order that would increase the position, after the closing orders already in the book."""
    net = account.net_quantity(order.instrument.token, order.product)
    closable = max(0, -net * order.side.sign - account.closing[_book(order)])
    return max(0, order.terms.quantity - order.filled - closable)


def block(account: Account, order: Order) -> None:
    """Count an order of the book, or count it anew after a change."""
    release(account, order)
    order.blocked = order_margin(order)
    order.closing = order.remaining - min(order.opening, order.remaining)
    account.blocked[order.product] += order.blocked
    account.closing[_book(order)] += order.closing


def after_fill(account: Account, order: Order) -> list[Order]:
    """Count an order anew that filled, and let the exits of its side be no more than is open; gives those changed.

    An order that was to open may fill before an earlier exit, and close its position: what the exit would do now is
    open one, the latest exits first.
    """
    block(account, order)
    net = account.net_quantity(order.instrument.token, order.product)
    over = account.closing[_book(order)] - max(0, -net * order.side.sign)
    changed = []
    if over > 0:
        for one in reversed(account.live.values()):
            if over > 0 and one.closing and _book(one) == _book(order):
                units = min(over, one.closing)
                one.opening, over = min(one.opening, one.remaining) + units, over - units
                block(account, one)
                changed.append(one)
    return changed


def release(account: Account, order: Order) -> None:
    """Count an order no more."""
    account.blocked[order.product] -= order.blocked
    account.closing[_book(order)] -= order.closing
    order.blocked = order.closing = 0


def _book(order: Order) -> tuple[int, str, Side]:
    return order.instrument.token, order.product, order.side


def order_margin(order: Order) -> int:
    """Give what a live order blocks. A delivery sell blocks shares, not money."""
    if order.product == "CNC" and order.side is Side.SELL:
        return 0
    units = min(order.opening, order.remaining)
    return _blocked(units * reference_price(order), _divisor(order.instrument, order.product, order.side))


def position_margin(position: Position) -> int:
    """Give what an open position blocks, by what it cost."""
    net = position.net_quantity
    if net == 0 or (position.product == "CNC" and net < 0):
        return 0
    side = Side.BUY if net > 0 else Side.SELL
    return _blocked(position.open_value, _divisor(position.instrument, position.product, side))


def used(account: Account, product: str | None = None) -> int:
    """Give what positions and the orders in the book block, of one product or of all."""
    positions = sum(position_margin(p) for p in account.positions.values() if product in (None, p.product))
    return positions + (account.blocked.total() if product is None else account.blocked[product])


def used_by_part(account: Account) -> Counter[Part]:
    """Give what positions and the orders in the book block, apart by what for. The sum is `used(account)`."""
    parts = parts_of(account.positions.values())
    for order in account.live.values():
        parts[part_of(order.instrument, order.product, order.side)] += order.blocked
    return parts


def parts_of(positions: Iterable[Position]) -> Counter[Part]:
    """Give what positions block, apart by what for."""
    parts: Counter[Part] = Counter()
    for position in positions:
        side = Side.BUY if position.net_quantity > 0 else Side.SELL
        parts[part_of(position.instrument, position.product, side)] += position_margin(position)
    return parts


def available(account: Account) -> int:
    """Give what is free: opening cash, today's realised P&L, less what is blocked."""
    return account.cash + account.realised - used(account)
