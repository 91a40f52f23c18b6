"""Position conversion: open units get another product, at what they cost. Total P&L does not change by it.

Units that the orders in the book may still close stay where they are, so an exit that was accepted keeps its position.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side
from trading.exchange.venue import margin, refusals
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.desk import Desk
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import LONG_AGO, Trade
from trading.exchange.venue.positions import Conversion, Position, PositionKey
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.shelf import Shelf


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """What a client asked for. `side` is that of the position; quantity is units."""

    instrument: Instrument
    side: Side
    is_overnight: bool
    quantity: int
    old_product: str
    new_product: str


class Conversions:
    """Takes conversions of every account, applies them at once, and keeps them on a shelf of the ledger."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.shelf: Shelf[Conversion] = Shelf("conversion", _pack, _unpack)

    def convert(self, user_id: str, request: ConversionRequest) -> None:
        """Give units of an open position another product. Raises Refusal."""
        account = self._desk.books.accounts[user_id]
        self._check_words(request)
        _check_units(account, request)
        _check_delivery(account, request)
        conversion = self._conversion(account, request)
        _check_margin(account, conversion)
        _apply(account.positions, conversion)
        account.conversions.append(conversion)
        self.shelf.put(str(conversion.sequence), conversion)

    def restored(self) -> None:
        """Do again what an earlier process of this day did, each conversion at its place between the trades."""
        books = self._desk.books
        today = [one for one in self.shelf.rows() if one.day == books.day.isoformat()]
        for one in today:
            books.accounts[one.user_id].conversions.append(one)
        for user_id in {one.user_id for one in today}:
            account = books.accounts[user_id]
            account.positions = replayed(account, account.trades, account.conversions)

    def _check_words(self, request: ConversionRequest) -> None:
        instrument = request.instrument
        allowed = ("MIS", "CNC") if instrument.instrument_type is InstrumentType.EQ else ("MIS", "NRML")
        for field, product in (("old_product", request.old_product), ("new_product", request.new_product)):
            if product not in allowed:
                raise Refusal(f"Invalid `{field}`. {product} is not allowed for {instrument.key}.")
        if request.old_product == request.new_product:
            raise Refusal("Invalid `new_product`. It should not be the same as the old one.")
        lot = max(1, instrument.lot_size)
        if request.quantity <= 0 or request.quantity % lot:
            raise Refusal("Invalid `quantity`.")
        if not self._desk.hours(instrument, moment_of(self._desk.now_ms())):
            raise Refusal(refusals.market_closed(request.new_product).message)

    def _conversion(self, account: Account, request: ConversionRequest) -> Conversion:
        return Conversion(
            sequence=len(self.shelf) + 1,
            day=self._desk.books.day.isoformat(),
            user_id=account.user_id,
            token=request.instrument.token,
            side=request.side,
            is_overnight=request.is_overnight,
            quantity=request.quantity,
            old_product=request.old_product,
            new_product=request.new_product,
            after_trade=self._desk.books.last_trade,
            at_ms=self._desk.now_ms(),
            wire_s=self._desk.monotonic(),
        )


def replayed(
    account: Account, trades: Iterable[Trade], conversions: Iterable[Conversion]
) -> dict[PositionKey, Position]:
    """Build positions anew from what was carried overnight, these trades, and these conversions between them."""
    positions: dict[PositionKey, Position] = {}
    for key, position in account.positions.items():
        if position.carried:
            positions[key] = past = Position(position.instrument, position.product)
            past.carry(position.carried)
    steps: list[tuple[tuple[int, int], Trade | Conversion]] = [((trade.sequence, 0), trade) for trade in trades]
    steps += [((one.after_trade, one.sequence), one) for one in conversions]
    for _, step in sorted(steps, key=itemgetter(0)):
        if isinstance(step, Conversion):
            _apply(positions, step)
            continue
        instrument = account.orders[step.order_id].instrument
        position = positions.setdefault((step.token, step.product), Position(instrument, step.product))
        position.apply(step.side, step.quantity, step.price)
    return positions


def _apply(positions: dict[PositionKey, Position], one: Conversion) -> None:
    old = positions[one.token, one.old_product]
    new = positions.setdefault((one.token, one.new_product), Position(old.instrument, one.new_product))
    new.receive(old.release(one.quantity, is_overnight=one.is_overnight), is_overnight=one.is_overnight)


def _check_units(account: Account, request: ConversionRequest) -> None:
    """Refuse what is not open on that side and in that part of the position, or is promised to an exit."""
    token, side = request.instrument.token, request.side
    position = account.positions.get((token, request.old_product))
    net = position.net_quantity if position is not None else 0
    if position is None or net * side.sign <= 0:
        raise Refusal(f"There is no open {side.value} position in {request.instrument.key} to convert.")
    carried = position.carried_units
    part = carried if request.is_overnight else abs(net) - carried
    free = min(part, abs(net) - account.closing[token, request.old_product, side.opposite])
    if request.quantity > free:
        raise Refusal(f"Invalid `quantity`. Only {max(0, free)} of the position can be converted.")
    against = -side.sign * account.net_quantity(token, request.new_product)
    promised = account.closing[token, request.new_product, side]
    if promised and request.quantity > against - promised:
        raise Refusal(f"Orders to exit the {request.new_product} position are in the book. Cancel them first.")


def _check_delivery(account: Account, request: ConversionRequest) -> None:
    """Refuse to sell as delivery, or to take out of delivery, what is not held."""
    becomes_sale = request.new_product == "CNC" and request.side is Side.SELL
    leaves_delivery = request.old_product == "CNC" and request.side is Side.BUY
    free = account.deliverable(request.instrument.token)
    if (becomes_sale or leaves_delivery) and request.quantity > free:
        rejection = refusals.insufficient_holding(request.quantity, max(0, free), account.user_id)
        raise Refusal(rejection.message, error_type="HoldingException")


def _check_margin(account: Account, conversion: Conversion) -> None:
    """Refuse what would block more than is free: tried on copies of the two positions."""
    keys = [(conversion.token, product) for product in (conversion.old_product, conversion.new_product)]
    before = [account.positions[key] for key in keys if key in account.positions]
    trial = {key: account.positions[key].copy() for key in keys if key in account.positions}
    _apply(trial, conversion)
    required = sum(map(margin.position_margin, trial.values())) - sum(map(margin.position_margin, before))
    free = margin.available(account) + sum(one.realised for one in trial.values()) - sum(one.realised for one in before)
    if required > 0 and required > free:
        rejection = refusals.insufficient_funds(required, free, account.user_id)
        raise Refusal(rejection.message, error_type="MarginException")


def _pack(one: Conversion) -> list[Any]:
    return list(one)[:-1]


def _unpack(kept: list[Any]) -> Conversion:
    one = Conversion._make([*kept, LONG_AGO])
    return one._replace(side=Side(one.side))
