"""What an alert is: its condition, its basket of orders, and what is told when it fires. Values, no behaviour."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled
from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue.rules import OrderRequest

ENABLED, DISABLED, DELETED = "enabled", "disabled", "deleted"
SIMPLE, ATO = "simple", "ato"

OPERATORS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


def _percent(part: int, whole: int) -> Decimal:
    return Decimal(100 * part) / whole if whole else Decimal(0)


ATTRIBUTES: Mapping[str, Callable[[Quote], Decimal]] = {
    "LastTradedPrice": lambda quote: from_scaled(quote.ltp),
    "HighPrice": lambda quote: from_scaled(quote.high),
    "LowPrice": lambda quote: from_scaled(quote.low),
    "OpenPrice": lambda quote: from_scaled(quote.open),
    "ClosePrice": lambda quote: from_scaled(quote.close),
    "DayChange": lambda quote: from_scaled(quote.ltp - quote.close),
    "DayChangePercent": lambda quote: _percent(quote.ltp - quote.close, quote.close),
    "IntraDayChange": lambda quote: from_scaled(quote.ltp - quote.open),
    "IntraDayChangePercent": lambda quote: _percent(quote.ltp - quote.open, quote.open),
    "LastTradedQuantity": lambda quote: Decimal(quote.last_quantity),
    "AverageTradePrice": lambda quote: from_scaled(quote.average_price),
    "VolumeTraded": lambda quote: Decimal(quote.volume),
    "TotalBuyQuantity": lambda quote: Decimal(quote.buy_quantity),
    "TotalSellQuantity": lambda quote: Decimal(quote.sell_quantity),
    "OpenInterest": lambda quote: Decimal(quote.oi),
    "OpenInterestDayHigh": lambda quote: Decimal(quote.oi),
    "OpenInterestDayLow": lambda quote: Decimal(quote.oi),
}
"""What can be compared: rupees, percent or units."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One figure of one instrument. `exchange` is the client's word: an index may be INDICES or NSE."""

    exchange: str
    tradingsymbol: str
    attribute: str
    token: int

    def __str__(self) -> str:
        """Show it as the broker's condition texts do."""
        return f'{self.attribute}("{self.exchange}:{self.tradingsymbol}")'


@dataclass(frozen=True, slots=True)
class BasketOrder:
    """One order of an ATO's basket. Prices and protection (percent) are decimal texts; `weight` is only shown."""

    exchange: str
    tradingsymbol: str
    token: int
    side: Side
    product: str
    order_type: str
    quantity: int
    price: str
    trigger_price: str
    validity: str
    disclosed_quantity: int
    tag: str
    protection: str
    weight: int

    def request(self, instrument: Instrument) -> OrderRequest:
        """Give it as the desk takes orders; a market order always has protection."""
        wants_protection = self.order_type in ("MARKET", "SL-M")
        return OrderRequest(
            instrument=instrument,
            side=self.side,
            product=self.product,
            order_type=self.order_type,
            quantity=self.quantity,
            price=Decimal(self.price),
            trigger_price=Decimal(self.trigger_price),
            validity=self.validity,
            disclosed_quantity=self.disclosed_quantity,
            tag=self.tag,
            protection=(Decimal(self.protection) or Decimal(-1)) if wants_protection else None,
        )


@dataclass(frozen=True, slots=True)
class AlertWish:
    """What a client asked for. The right side is `rhs`, or `constant` as text when that is None."""

    name: str
    type: str
    lhs: Operand
    operator: str
    rhs: Operand | None
    constant: str
    basket: tuple[BasketOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """What an instrument showed when an alert fired; prices scaled, circuits 0 for an index."""

    operand: Operand
    ltp: int
    open: int
    high: int
    low: int
    close: int
    at_ms: int
    last_trade_ms: int
    last_quantity: int
    buy_quantity: int
    sell_quantity: int
    volume: int
    average_price: int
    oi: int
    lower_circuit: int
    upper_circuit: int


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one order of a basket: its id, or why it was refused."""

    token: int
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Firing:
    """One line of an alert's history."""

    at_ms: int
    condition: str
    sights: tuple[Sight, ...]
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a user; times are market epoch milliseconds."""

    uuid: str
    user_id: str
    api_key: str
    wish: AlertWish
    created_ms: int
    updated_ms: int
    status: str = ENABLED
    disabled_reason: str = ""
    history: tuple[Firing, ...] = ()

    @property
    def condition(self) -> str:
        """Show the condition as the broker's history does."""
        wish = self.wish
        return f"{wish.lhs} {wish.operator} {wish.rhs if wish.rhs is not None else wish.constant}"

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The instruments' figures that the condition looks at."""
        return (self.wish.lhs,) if self.wish.rhs is None else (self.wish.lhs, self.wish.rhs)


def alert_from(body: dict[str, Any]) -> Alert:
    wish = body["wish"]
    rhs = None if wish["rhs"] is None else Operand(**wish["rhs"])
    basket = tuple(BasketOrder(**order | {"side": Side(order["side"])}) for order in wish["basket"])
    known = AlertWish(**wish | {"lhs": Operand(**wish["lhs"]), "rhs": rhs, "basket": basket})
    return Alert(**body | {"wish": known, "history": tuple(_firing_from(line) for line in body["history"])})


def _firing_from(line: dict[str, Any]) -> Firing:
    sights = tuple(Sight(**sight | {"operand": Operand(**sight["operand"])}) for sight in line["sights"])
    return Firing(**line | {"sights": sights, "placed": tuple(Placed(**one) for one in line["placed"])})
