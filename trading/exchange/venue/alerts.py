"""Price alerts: a condition on one instrument's figures that is told once, and may place a basket of orders (ATO).

An alert is spent when it has fired and lives a year. Sources: Kite Connect's alerts page; the attribute words of Kite's
own alert form; the broker's support pages for 500 alerts, 200 of them ATO, baskets of 20 and market protection (2026).
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from trading.exchange.market.quotes import Quote
from trading.exchange.venue.alert_values import (
    ATO,
    ATTRIBUTES,
    DELETED,
    DISABLED,
    ENABLED,
    OPERATORS,
    Alert,
    AlertWish,
    BasketOrder,
    Firing,
    Operand,
    Placed,
    Sight,
    alert_from,
)
from trading.exchange.venue.desk import Desk
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.shelf import Shelf

MOST_ALERTS = 500
MOST_ATOS = 200
LIVES_MS = 365 * 24 * 3600 * 1000


class AlertBook:
    """All alerts of all users. Writes nothing by itself: the venue saves the shelf with the orders."""

    def __init__(self, desk: Desk, *, seed: str) -> None:
        """`seed` makes the ids of one exchange its own."""
        self.shelf: Shelf[Alert] = Shelf("alerts", asdict, alert_from)
        self._desk = desk
        self._seed = seed
        self._watching: dict[int, dict[str, Alert]] = {}

    def restored(self) -> None:
        """Find the enabled ones after the shelf was read from disk."""
        for alert in self.shelf.rows():
            self._index(alert)

    # -- clients' calls ------------------------------------------------------------------------------

    def create(self, user_id: str, api_key: str, wish: AlertWish) -> Alert:
        """Take a new alert or raise Refusal."""
        enabled = [alert for alert in self.listed(user_id) if alert.status == ENABLED]
        if len(enabled) >= MOST_ALERTS:
            raise Refusal(f"Maximum allowed alerts ({MOST_ALERTS}) reached.")
        if wish.type == ATO and sum(alert.wish.type == ATO for alert in enabled) >= MOST_ATOS:
            raise Refusal(f"Maximum allowed ATO alerts ({MOST_ATOS}) reached.")
        now = self._desk.now_ms()
        uuid = str(uuid5(NAMESPACE_URL, f"{self._seed}|alert|{len(self.shelf)}"))
        return self._put(Alert(uuid, user_id, api_key, wish, now, now))

    def modify(self, user_id: str, uuid: str, wish: AlertWish) -> Alert:
        """Replace what an enabled alert says. Raises Refusal."""
        alert = self.one(user_id, uuid)
        if alert.status != ENABLED:
            raise Refusal(f"Alert cannot be modified as it is {alert.status}.")
        return self._put(replace(alert, wish=wish, updated_ms=self._desk.now_ms()))

    def delete(self, user_id: str, uuids: Iterable[str]) -> list[Alert]:
        """Delete alerts: all of them, or none when one is unknown. Raises Refusal."""
        found = [self.one(user_id, uuid) for uuid in uuids]
        if not found:
            raise Refusal("Missing or empty field `uuid`")
        return [self._put(replace(alert, status=DELETED, updated_ms=self._desk.now_ms())) for alert in found]

    def one(self, user_id: str, uuid: str) -> Alert:
        """Give a user's alert. Raises Refusal for an unknown, a deleted and somebody else's one."""
        alert = self.shelf.get(uuid)
        if alert is None or alert.user_id != user_id or alert.status == DELETED:
            raise Refusal("Alert not found.", error_type="GeneralException", status=404)
        return alert

    def listed(self, user_id: str) -> list[Alert]:
        """Give a user's alerts, the oldest first."""
        return [alert for alert in self.shelf.rows() if alert.user_id == user_id and alert.status != DELETED]

    # -- the market ----------------------------------------------------------------------------------

    def tokens(self) -> Iterable[int]:
        """Give the instruments that alerts look at."""
        return self._watching

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Fire every alert whose condition holds now; orders of baskets are matched with the next batch."""
        seen = {
            uuid: alert for quote in quotes for uuid, alert in self._watching.get(quote.token, {}).items()
        }  # once each, though both sides may have moved
        for alert in sorted(seen.values(), key=_contents):
            if self._holds(alert.wish):
                self._fire(alert)

    def begin_day(self) -> None:
        """Disable what is a year old or looks at an instrument that is gone."""
        for alert in [alert for alert in self.shelf.rows() if alert.status == ENABLED]:
            instruments = self._desk.market.instruments
            if alert.created_ms + LIVES_MS <= self._desk.now_ms():
                self._disable(alert, "Alert validity of 365 days is over.")
            elif any(operand.token not in instruments for operand in alert.operands):
                self._disable(alert, "Instrument is no longer listed.")

    # -- inside --------------------------------------------------------------------------------------

    def _holds(self, wish: AlertWish) -> bool:
        right = Decimal(wish.constant) if wish.rhs is None else self._figure(wish.rhs)
        return OPERATORS[wish.operator](self._figure(wish.lhs), right)

    def _figure(self, operand: Operand) -> Decimal:
        return ATTRIBUTES[operand.attribute](self._desk.shown(operand.token))

    def _fire(self, alert: Alert) -> None:
        firing = Firing(
            at_ms=self._desk.now_ms(),
            condition=alert.condition,
            sights=tuple(self._sight(operand) for operand in alert.operands),
            placed=tuple(self._place(alert, order) for order in alert.wish.basket),
        )
        self._disable(replace(alert, history=(*alert.history, firing)), "")

    def _place(self, alert: Alert, order: BasketOrder) -> Placed:
        instrument = self._desk.market.instruments.get(order.token)
        try:
            if instrument is None:
                raise Refusal("Invalid `tradingsymbol`.")
            placed = self._desk.place(alert.user_id, alert.api_key, order.request(instrument))
        except Refusal as refusal:
            return Placed(order.token, "", refusal.message)
        return Placed(order.token, placed.order_id, "")

    def _sight(self, operand: Operand) -> Sight:
        quote = self._desk.shown(operand.token)
        is_tradable = self._desk.market.instruments[operand.token].is_tradable
        return Sight(
            operand=operand,
            ltp=quote.ltp,
            open=quote.open,
            high=quote.high,
            low=quote.low,
            close=quote.close,
            at_ms=quote.at_ms,
            last_trade_ms=quote.last_trade_ms if is_tradable else 0,
            last_quantity=quote.last_quantity,
            buy_quantity=quote.buy_quantity,
            sell_quantity=quote.sell_quantity,
            volume=quote.volume,
            average_price=quote.average_price,
            oi=quote.oi,
            lower_circuit=quote.lower_circuit if is_tradable else 0,
            upper_circuit=quote.upper_circuit if is_tradable else 0,
        )

    def _disable(self, alert: Alert, reason: str) -> None:
        self._put(replace(alert, status=DISABLED, disabled_reason=reason, updated_ms=self._desk.now_ms()))

    def _put(self, alert: Alert) -> Alert:
        before = self.shelf.get(alert.uuid)
        if before is not None:
            for operand in before.operands:
                self._watching.get(operand.token, {}).pop(alert.uuid, None)
        self.shelf.put(alert.uuid, alert)
        self._index(alert)
        return alert

    def _index(self, alert: Alert) -> None:
        if alert.status == ENABLED:
            for operand in alert.operands:
                self._watching.setdefault(operand.token, {})[alert.uuid] = alert


def _contents(alert: Alert) -> tuple[Any, ...]:
    """Give the order in which alerts of one step fire: by what they are, the id only between equals."""
    basket = [(order.token, order.side, order.quantity, order.price, order.tag) for order in alert.wish.basket]
    return alert.user_id, alert.condition, alert.wish.name, basket, alert.uuid
