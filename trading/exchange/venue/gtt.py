"""GTT, good till triggered: orders that the broker places once the price has come to a trigger value.

A trigger blocks no margin, lives a year (a derivative's until its expiry), and only places a LIMIT order, which can be
refused or rejected then like any other. Sources: Kite Connect's GTT page; the broker's support pages for the 0.25 %,
the 250 active ones and what ends a trigger (2026).
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, time
from typing import Any

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import PRICE_SCALE, from_scaled
from trading.domain.timezone import at_ist
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.desk import Desk
from trading.exchange.venue.gtt_values import (
    BY_THE_BROKER,
    Gtt,
    GttResult,
    GttStatus,
    GttType,
    GttWish,
    gtt_from,
)
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.shelf import Shelf

FIRST_TRIGGER_ID = 100_001
MOST_ACTIVE = 250
LISTED_FOR_DAYS = 7
DAY_MS = 24 * 3600 * 1000
CHEAP = 50 * PRICE_SCALE
LEAST_DISTANCE_CHEAP = 9 * PRICE_SCALE // 100
"""Below 50 rupees a trigger value is at least 9 paise away from the last price; above that 0.25 % of it."""


class GttBook:
    """All triggers of all users. Writes nothing by itself: the venue saves the shelf with the orders."""

    def __init__(self, desk: Desk) -> None:
        self.shelf: Shelf[Gtt] = Shelf("gtt", asdict, gtt_from)
        self._desk = desk
        self._active: dict[int, dict[int, Gtt]] = {}

    def restored(self) -> None:
        """Find the active ones after the shelf was read from disk."""
        for gtt in self.shelf.rows():
            self._index(gtt)

    # -- clients' calls ------------------------------------------------------------------------------

    def place(self, user_id: str, api_key: str, wish: GttWish) -> Gtt:
        """Take a new trigger or raise Refusal."""
        self._check(wish)
        if len(self._active_of(user_id)) >= MOST_ACTIVE:
            raise Refusal(f"Maximum allowed active GTTs ({MOST_ACTIVE}) reached.")
        now = self._desk.now_ms()
        return self._put(
            Gtt(
                trigger_id=FIRST_TRIGGER_ID + len(self.shelf),
                user_id=user_id,
                api_key=api_key,
                type=wish.type,
                exchange=wish.instrument.exchange,
                tradingsymbol=wish.instrument.tradingsymbol,
                token=wish.instrument.token,
                values=wish.values,
                last_price=wish.last_price,
                orders=wish.orders,
                created_ms=now,
                updated_ms=now,
                expires_ms=_end_of(wish.instrument, now),
            )
        )

    def modify(self, user_id: str, trigger_id: int, wish: GttWish) -> Gtt:
        """Replace values and orders of an active trigger; type and instrument stay. Raises Refusal."""
        gtt = self._changeable(user_id, trigger_id)
        if (wish.type, wish.instrument.key) != (gtt.type, gtt.key):
            raise Refusal("Trigger type and instrument cannot be modified.")
        self._check(wish)
        now = self._desk.now_ms()
        return self._put(
            replace(gtt, values=wish.values, last_price=wish.last_price, orders=wish.orders, updated_ms=now)
        )

    def delete(self, user_id: str, trigger_id: int) -> Gtt:
        """Delete an active trigger. Raises Refusal."""
        return self._end(self._changeable(user_id, trigger_id), GttStatus.DELETED)

    def one(self, user_id: str, trigger_id: int) -> Gtt:
        """Give a user's trigger, however old. Raises Refusal for an unknown one and for somebody else's."""
        gtt = self.shelf.get(str(trigger_id))
        if gtt is None or gtt.user_id != user_id:
            raise Refusal("Trigger not found.", error_type="GeneralException", status=404)
        return gtt

    def listed(self, user_id: str) -> list[Gtt]:
        """Give a user's active triggers and those that ended within the last seven days, newest first."""
        since = self._desk.now_ms() - LISTED_FOR_DAYS * DAY_MS
        mine = (gtt for gtt in self.shelf.rows() if gtt.user_id == user_id)
        return [gtt for gtt in mine if gtt.status is GttStatus.ACTIVE or gtt.updated_ms >= since][::-1]

    # -- the market ----------------------------------------------------------------------------------

    def tokens(self) -> Iterable[int]:
        """Give the instruments that triggers wait for."""
        return self._active

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Place the order of every trigger that a price has met; the order is matched with the next batch."""
        due = [
            (gtt, leg, quote.ltp)
            for quote in quotes
            if (waiting := self._active.get(quote.token)) and self._trades(quote.token)
            for gtt in waiting.values()
            if (leg := gtt.leg_met(quote.ltp)) is not None
        ]
        for gtt, leg, ltp in sorted(due, key=lambda one: _contents(one[0])):
            self._fire(gtt, leg, ltp)

    def begin_day(self) -> None:
        """End what a new day no longer knows: expired triggers, and instruments that are gone."""
        for gtt in [gtt for waiting in self._active.values() for gtt in waiting.values()]:
            if gtt.expires_ms <= self._desk.now_ms():
                self._end(gtt, GttStatus.EXPIRED)
            elif self._desk.market.recall(gtt.key) is None:
                self._end(gtt, GttStatus.CANCELLED)

    def end_by_broker(self, trigger_id: int, status: str) -> Gtt:
        """End an active trigger as the broker does after a corporate action or a delisting. Raises ValueError."""
        if status not in BY_THE_BROKER:
            raise ValueError(f"status must be one of {', '.join(BY_THE_BROKER)}, was {status!r}")
        gtt = self.shelf.get(str(trigger_id))
        if gtt is None or gtt.status is not GttStatus.ACTIVE:
            raise ValueError(f"trigger_id must be an active trigger's, was {trigger_id}")
        return self._end(gtt, GttStatus(status))

    # -- inside --------------------------------------------------------------------------------------

    def _trades(self, token: int) -> bool:
        instrument = self._desk.market.instruments[token]
        return self._desk.hours(instrument, moment_of(self._desk.now_ms()))

    def _fire(self, gtt: Gtt, leg: int, ltp: int) -> None:
        now = self._desk.now_ms()
        if gtt.expires_ms <= now:
            self._end(gtt, GttStatus.EXPIRED)
            return
        order_id, reason = "", ""
        try:
            order_id = self._desk.place(gtt.user_id, gtt.api_key, self._request(gtt, leg)).order_id
        except Refusal as refusal:
            reason = refusal.message
        result = GttResult(leg, now, ltp, order_id, reason)
        self._put(replace(gtt, status=GttStatus.TRIGGERED, updated_ms=now, result=result))

    def _request(self, gtt: Gtt, leg: int) -> OrderRequest:
        order = gtt.orders[leg]
        return OrderRequest(
            instrument=self._desk.market.instruments[gtt.token],
            side=order.side,
            product=order.product,
            order_type="LIMIT",
            quantity=order.quantity,
            price=from_scaled(order.price),
        )

    def _changeable(self, user_id: str, trigger_id: int) -> Gtt:
        gtt = self.one(user_id, trigger_id)
        if gtt.status is not GttStatus.ACTIVE:
            raise Refusal(f"Trigger is not active, it is {gtt.status}.")
        return gtt

    def _check(self, wish: GttWish) -> None:
        if not wish.instrument.is_tradable:
            raise Refusal(f"GTT is not allowed for the index {wish.instrument.tradingsymbol}.")
        product = "CNC" if wish.instrument.instrument_type is InstrumentType.EQ else "NRML"
        for order in wish.orders:
            if order.product != product:
                raise Refusal(f"Invalid `product`. GTT orders for {wish.instrument.key} are {product} only.")
        ltp = self._desk.market.quote(wish.instrument.token).ltp
        _check_values(wish, ltp)

    def _put(self, gtt: Gtt) -> Gtt:
        self.shelf.put(str(gtt.trigger_id), gtt)
        self._index(gtt)
        return gtt

    def _end(self, gtt: Gtt, status: GttStatus) -> Gtt:
        return self._put(replace(gtt, status=status, updated_ms=self._desk.now_ms()))

    def _index(self, gtt: Gtt) -> None:
        waiting = self._active.setdefault(gtt.token, {})
        if gtt.status is GttStatus.ACTIVE:
            waiting[gtt.trigger_id] = gtt
        else:
            waiting.pop(gtt.trigger_id, None)

    def _active_of(self, user_id: str) -> list[Gtt]:
        return [gtt for waiting in self._active.values() for gtt in waiting.values() if gtt.user_id == user_id]


def _check_values(wish: GttWish, ltp: int) -> None:
    """Check where the values lie: by what the client believes the price is, and by what it is."""
    if wish.type is GttType.TWO_LEG:
        lower, upper = wish.values
        if not lower < wish.last_price < upper:
            raise Refusal("Trigger cannot be created: the last price must lie between the two trigger values.")
    least = LEAST_DISTANCE_CHEAP if ltp < CHEAP else -(-ltp // 400)
    for value in wish.values:
        if value == wish.last_price:
            raise Refusal("Trigger cannot be created: a trigger value is the last price itself.")
        is_below = value < wish.last_price
        if ltp <= value if is_below else ltp >= value:
            raise Refusal(refusals.gtt_already_met(value, ltp))
        if abs(ltp - value) < least:
            raise Refusal(refusals.gtt_too_close(value, ltp))


def _end_of(instrument: Instrument, now_ms: int) -> int:
    """Give when a trigger expires: in a year, a derivative's after the last moment of its expiry day."""
    now = moment_of(now_ms)
    year_on = _year_after(now)
    if instrument.expiry is not None:
        year_on = min(year_on, at_ist(instrument.expiry, time(23, 59, 59)))
    return int(year_on.timestamp() * 1000)


def _year_after(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year + 1)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + 1, day=28)


def _contents(gtt: Gtt) -> tuple[Any, ...]:
    """Give the order in which triggers of one step fire: by what they are, the number only between equals."""
    orders = [(order.side, order.quantity, order.product, order.price) for order in gtt.orders]
    return gtt.user_id, gtt.key, gtt.type, gtt.values, orders, gtt.trigger_id
