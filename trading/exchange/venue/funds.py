"""Mutual fund orders, SIPs and holdings.

What an order does here: it is OPEN, and may be cancelled, for the market day on which it was placed; the opening of the
next day settles it at the NAV of its own day. A SIP places such an order at the opening of each day it is due on. No
money of the trading account moves: a fund is paid from, and pays to, the bank.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from trading.domain.money import PRICE_SCALE
from trading.domain.orders import Side
from trading.exchange.venue.fund_values import (
    ACTIVE,
    CANCELLED,
    COMPLETE,
    COMPLETED,
    ENDLESS,
    FIRST_HOLDING,
    FUNDS,
    OPEN,
    PAUSED,
    UNIT_SCALE,
    Fund,
    FundHolding,
    FundOrder,
    Sip,
    units_for,
)
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.shelf import Shelf

FREQUENCIES = ("weekly", "monthly", "quarterly")
INSTALMENT_DAYS = (1, 5, 10, 15, 20, 25)
FEWEST_INSTALMENTS = 6
LISTED_FOR_MS = 7 * 24 * 3600 * 1000
FIRST_SIP_ID = 100_000_000_000_001


class SipWish(NamedTuple):
    """What a client asked for of a SIP; `amount` is scaled rupees."""

    amount: int
    instalments: int
    frequency: str
    day: int


class FundBook:
    """Fund orders and SIPs of all users. Writes nothing by itself: the venue saves the shelves with the orders."""

    def __init__(self, now_ms: Callable[[], int], *, seed: str) -> None:
        """`seed` makes the ids of one exchange its own."""
        self.orders: Shelf[FundOrder] = Shelf("mf_orders", asdict, _order_from)
        self.sips: Shelf[Sip] = Shelf("mf_sips", asdict, lambda body: Sip(**body))
        self._now_ms = now_ms
        self._seed = seed

    # -- orders --------------------------------------------------------------------------------------

    def buy(self, user_id: str, symbol: str, amount: int, tag: str, variety: str = "regular") -> FundOrder:
        """Take a purchase of scaled rupees or raise Refusal."""
        fund = fund_of(symbol)
        is_fresh = all(holding.symbol != symbol for holding in self.holdings(user_id))
        _check_amount(fund, amount, fund.minimum_rupees if is_fresh else fund.additional_rupees)
        return self._new_order(user_id, symbol, Side.BUY, amount, 0, variety, tag, is_fresh=is_fresh)

    def sell(self, user_id: str, symbol: str, quantity: int, tag: str) -> FundOrder:
        """Take a redemption of thousandths of a unit or raise Refusal."""
        fund = fund_of(symbol)
        if not fund.can_sell:
            raise Refusal(f"Redemption is not allowed for {symbol}.")
        if quantity <= 0:
            raise Refusal("Invalid `quantity`.")
        held = sum(holding.quantity for holding in self.holdings(user_id) if holding.symbol == symbol)
        asked = sum(order.quantity for order in self._open(user_id) if order.symbol == symbol)
        if quantity > held - asked:
            raise Refusal(f"Insufficient holdings. Only {(held - asked) / UNIT_SCALE:.3f} units can be redeemed.",
                          error_type="HoldingException")  # fmt: skip
        return self._new_order(user_id, symbol, Side.SELL, 0, quantity, "regular", tag, is_fresh=False)

    def cancel(self, user_id: str, order_id: str) -> FundOrder:
        """Cancel an order of today. Raises Refusal."""
        order = self.order(user_id, order_id)
        if order.status != OPEN:
            raise Refusal(f"Order cannot be cancelled as it is already {order.status}.", error_type="OrderException")
        return self._put(replace(order, status=CANCELLED))

    def order(self, user_id: str, order_id: str) -> FundOrder:
        """Give a user's order. Raises Refusal for an unknown one and for somebody else's."""
        order = self.orders.get(order_id)
        if order is None or order.user_id != user_id:
            raise Refusal("Couldn't find that `order_id`.", error_type="OrderException", status=404)
        return order

    def listed(self, user_id: str) -> list[FundOrder]:
        """Give a user's orders of the last seven days, newest first."""
        since = self._now_ms() - LISTED_FOR_MS
        return [one for one in self.orders.rows() if one.user_id == user_id and one.placed_ms >= since][::-1]

    def holdings(self, user_id: str) -> list[FundHolding]:
        """Give what a user holds: the first units, and what was settled since."""
        held = {FIRST_HOLDING[0]: FundHolding(*FIRST_HOLDING)}
        for order in self.orders.rows():
            if order.user_id == user_id and order.status == COMPLETE:
                held[order.symbol] = _after(held.get(order.symbol, FundHolding(order.symbol, 0, 0)), order)
        return [holding for holding in held.values() if holding.quantity]

    # -- SIPs ----------------------------------------------------------------------------------------

    def register(self, user_id: str, symbol: str, wish: SipWish, tag: str) -> Sip:
        """Take a SIP or raise Refusal."""
        _check_sip(fund_of(symbol), wish)
        now = self._now_ms()
        number = FIRST_SIP_ID + len(self.sips)
        next_on = _next_instalment(moment_of(now).date(), wish.frequency, wish.day).isoformat()
        sip = Sip(str(number), user_id, symbol, wish.amount, wish.instalments, wish.frequency, wish.day, tag,
                  created_ms=now, last_ms=now, next_on=next_on)  # fmt: skip
        return self._put_sip(sip)

    def start(self, user_id: str, symbol: str, wish: SipWish, tag: str, first: int) -> tuple[FundOrder, Sip]:
        """Take a SIP with an order of `first` scaled rupees placed at once: both or neither. Raises Refusal."""
        _check_sip(fund_of(symbol), wish)
        return self.buy(user_id, symbol, first, tag, "sip"), self.register(user_id, symbol, wish, tag)

    def modify_sip(self, user_id: str, sip_id: str, wish: SipWish, status: str) -> Sip:
        """Change amount, rhythm or state of a SIP that is not over. Raises Refusal."""
        sip = self._live_sip(user_id, sip_id)
        if status not in (ACTIVE, PAUSED):
            raise Refusal("Invalid `status`. It should be active or paused.")
        _check_sip(fund_of(sip.symbol), wish)
        if wish.instalments != ENDLESS and wish.instalments <= sip.done:
            raise Refusal(f"Invalid `instalments`. {sip.done} are done already.")
        next_on = sip.next_on
        if (wish.frequency, wish.day) != (sip.frequency, sip.day):
            next_on = _next_instalment(moment_of(self._now_ms()).date(), wish.frequency, wish.day).isoformat()
        return self._put_sip(
            replace(sip, **wish._asdict(), status=status, next_on=next_on)
        )  # the fields of a wish are named as the SIP's

    def cancel_sip(self, user_id: str, sip_id: str) -> Sip:
        """End a SIP. Raises Refusal."""
        return self._put_sip(replace(self._live_sip(user_id, sip_id), status=CANCELLED))

    def sip(self, user_id: str, sip_id: str) -> Sip:
        """Give a user's SIP. Raises Refusal for an unknown one and for somebody else's."""
        sip = self.sips.get(sip_id)
        if sip is None or sip.user_id != user_id:
            raise Refusal("Couldn't find that `sip_id`.", error_type="GeneralException", status=404)
        return sip

    def listed_sips(self, user_id: str) -> list[Sip]:
        """Give a user's active and paused SIPs, newest first."""
        mine = (sip for sip in self.sips.rows() if sip.user_id == user_id)
        return [sip for sip in mine if sip.status in (ACTIVE, PAUSED)][::-1]

    # -- the days ------------------------------------------------------------------------------------

    def begin_day(self, day: date) -> None:
        """Settle what was placed on an earlier day, then place the instalments that are due."""
        for order in self.orders.rows():
            placed_on = moment_of(order.placed_ms).date()
            if order.status == OPEN and placed_on < day:
                self._settle(order, placed_on)
        for sip in self.sips.rows():
            if sip.status == ACTIVE and date.fromisoformat(sip.next_on) <= day:
                self._instalment(sip, day)

    def _settle(self, order: FundOrder, day: date) -> None:
        nav = FUNDS[order.symbol].nav(day)
        quantity = units_for(order.amount, nav) if order.side is Side.BUY else order.quantity
        self._put(replace(order, status=COMPLETE, nav=nav, quantity=quantity, settled_on=day.isoformat()))

    def _instalment(self, sip: Sip, day: date) -> None:
        is_fresh = all(holding.symbol != sip.symbol for holding in self.holdings(sip.user_id))
        self._new_order(sip.user_id, sip.symbol, Side.BUY, sip.amount, 0, "sip", sip.tag, is_fresh=is_fresh)
        next_on = _next_instalment(day, sip.frequency, sip.day).isoformat()
        after = replace(sip, done=sip.done + 1, last_ms=self._now_ms(), next_on=next_on)
        self._put_sip(replace(after, status=COMPLETED) if after.pending == 0 else after)

    # -- inside --------------------------------------------------------------------------------------

    def _new_order(
        self, user_id: str, symbol: str, side: Side, amount: int, quantity: int, variety: str, tag: str, *,
        is_fresh: bool,
    ) -> FundOrder:  # fmt: skip
        number = len(self.orders)
        order_id = str(uuid5(NAMESPACE_URL, f"{self._seed}|mf|{number}"))
        return self._put(
            FundOrder(order_id, number, user_id, symbol, side, amount, quantity, variety, is_fresh, tag, self._now_ms())
        )

    def _open(self, user_id: str) -> list[FundOrder]:
        return [order for order in self.orders.rows() if order.user_id == user_id and order.status == OPEN]

    def _live_sip(self, user_id: str, sip_id: str) -> Sip:
        sip = self.sip(user_id, sip_id)
        if sip.status not in (ACTIVE, PAUSED):
            raise Refusal(f"SIP cannot be changed as it is already {sip.status}.")
        return sip

    def _put(self, order: FundOrder) -> FundOrder:
        self.orders.put(order.order_id, order)
        return order

    def _put_sip(self, sip: Sip) -> Sip:
        self.sips.put(sip.sip_id, sip)
        return sip


def fund_of(symbol: str) -> Fund:
    """Find a fund. Raises Refusal."""
    fund = FUNDS.get(symbol)
    if fund is None:
        raise Refusal("Invalid `tradingsymbol`.")
    return fund


def _check_amount(fund: Fund, amount: int, least_rupees: int) -> None:
    if not fund.can_buy:
        raise Refusal(f"Purchase is not allowed for {fund.tradingsymbol}.")
    if amount < least_rupees * PRICE_SCALE:
        raise Refusal(f"Invalid `amount`. The least is {least_rupees}.")
    if amount % PRICE_SCALE:
        raise Refusal("Invalid `amount`. It should be in multiples of 1.")


def _check_sip(fund: Fund, wish: SipWish) -> None:
    _check_amount(fund, wish.amount, fund.additional_rupees)
    if wish.frequency not in FREQUENCIES:
        raise Refusal("Invalid `frequency`.")
    if wish.instalments != ENDLESS and not FEWEST_INSTALMENTS <= wish.instalments <= 9999:
        raise Refusal(f"Invalid `instalments`. It should be -1 or {FEWEST_INSTALMENTS} to 9999.")
    days = INSTALMENT_DAYS if wish.frequency == "monthly" else (0,)
    if wish.day not in days:
        raise Refusal("Invalid `instalment_day`.")


def _next_instalment(after: date, frequency: str, day: int) -> date:
    """Give the first due day after another one: a week or three months on, or the day of the month."""
    if frequency == "weekly":
        return after + timedelta(days=7)
    months = 3 if frequency == "quarterly" else 1
    wanted = day or after.day
    if frequency == "monthly" and wanted > after.day:
        return after.replace(day=wanted)
    year, month = divmod(after.year * 12 + after.month - 1 + months, 12)
    return date(year, month + 1, min(wanted, 28) if wanted > 28 else wanted)


def _after(held: FundHolding, order: FundOrder) -> FundHolding:
    if order.side is Side.SELL:
        return replace(held, quantity=held.quantity - order.quantity)
    quantity = held.quantity + order.quantity
    cost = held.quantity * held.average_nav + order.quantity * order.nav
    return FundHolding(held.symbol, quantity, cost // quantity if quantity else 0)


def _order_from(body: dict[str, Any]) -> FundOrder:
    return FundOrder(**body | {"side": Side(body["side"])})
