"""The stop of one line that rests at the exchange: what is left when engine, feed or machine are not.

It holds the position's one place for a live exit. Before any other exit leaves, it is cancelled and its end is
proved; between exits it is placed anew for what is open. Changes of its size and trigger are changes of one order.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.orders import OrderChange, OrderIntent, OrderStatus, OrderType, Purpose, Side
from trading.domain.resting_stop import StopPrices, follows, resting_stop
from trading.engine.line_orders import LineOrders
from trading.engine.orders import MOST_CHANGES, Working
from trading.engine.tools import Tools
from trading.engine.wishes import LineOwner

TRIES_AGAIN_AFTER = timedelta(minutes=2)
"""Market time after a stop that the broker refused or ended."""


class RestingStop:
    """See the module. `stop` is alive, or None."""

    def __init__(
        self, tools: Tools, orders: LineOrders, owner: Callable[[], LineOwner], look: Callable[[], None]
    ) -> None:
        self.stop: Working | None = None
        self._tools = tools
        self._orders = orders
        self._owner = owner
        self._look_again = look
        self._not_before: datetime | None = None

    @property
    def is_triggered(self) -> bool:
        """True while it is on its way out as an exit: nobody changes or corrects anything beside it."""
        if self.stop is None:
            return False
        is_open = self.stop.order is not None and self.stop.order.status is OrderStatus.OPEN
        return is_open or self._orders.remaining(self.stop) < self.stop.units

    def give_way(self) -> bool:
        """Cancel it for another exit; say whether the way is free."""
        if self.stop is None:
            return True
        self._orders.cancel(self.stop)
        return False

    def settle(self) -> None:
        """Take note of its end: it closed the position, we cancelled it, or it vanished."""
        stop = self.stop
        if stop is None or stop.may_fill:
            return
        self.stop = None
        if stop.filled and not self._orders.lot:
            self._owner().stopped_out(stop)
        elif not stop.is_withdrawn and self._orders.lot:
            self._vanished(stop)

    def pursue(self) -> None:
        """With no other exit or entry alive or wanted: have it stand where it belongs."""
        wanted = self._wanted()
        if wanted is None:
            if self.stop is not None:
                self._orders.cancel(self.stop)
            return
        if self.stop is None:
            self._place(wanted)
        elif self.stop.is_resting and not self.is_triggered:
            self._change(self.stop, wanted)

    # -- inside ------------------------------------------------------------------------------------------------

    def _wanted(self) -> StopPrices | None:
        owner, lot, tick_size = self._owner(), self._orders.lot, self._orders.tick_size
        level, percent = owner.ladder_stop(), owner.stop_percent()
        if level is None or not percent or not lot or tick_size is None:
            return None
        return resting_stop(self._side(lot), level, percent, tick_size)

    def _place(self, wanted: StopPrices) -> None:
        now = self._tools.now()
        if (self._not_before is not None and now < self._not_before) or not self._is_allowed(now):
            return
        lot = self._orders.lot
        intent = OrderIntent(
            self._orders.next_slice(Purpose.DISASTER_STOP),
            self._side(lot),
            self._orders.at_most(abs(lot)),
            order_type=OrderType.SL,
            price=wanted.limit,
            trigger_price=wanted.trigger,
            algo_id=self._orders.ref.algo_id,
        )
        self.stop = self._orders.submit(intent, {"rule": "resting stop at the exchange"}, whole=abs(lot))

    def _change(self, stop: Working, wanted: StopPrices) -> None:
        """One change for size and trigger. A stop that was changed too often is cancelled and placed anew."""
        if stop.is_changing or stop.order is None:
            return
        lot, percent = self._orders.lot, self._owner().stop_percent() or Decimal(0)
        units = self._orders.at_most(abs(lot)) + stop.filled
        present = stop.order.trigger_price or stop.intent.trigger_price
        moves = present is None or follows(stop.intent.side, wanted.trigger, present, percent)
        if stop.intent.side is not self._side(lot) or stop.changes >= MOST_CHANGES:
            self._orders.cancel(stop)
        elif moves or units != stop.order.quantity:
            at = wanted if moves or present is None else None
            self._orders.change(
                stop,
                OrderChange(
                    OrderType.SL,
                    price=at.limit if at else stop.order.price,
                    trigger_price=at.trigger if at else present,
                    quantity=units,
                ),
            )

    def _vanished(self, stop: Working) -> None:
        """Refused by the broker, or cancelled by the exchange as before a closing auction: the engine alone watches."""
        self._not_before = self._tools.now() + TRIES_AGAIN_AFTER
        key = ("stop again", self._orders.ref.key, self._orders.instrument)
        self._tools.timers.set(key, self._not_before, self._look_again)
        why = (stop.order.status_message if stop.order else stop.words) or stop.state.value
        text = f"the resting stop of {self._orders.lot:+d} {self._orders.instrument} is gone ({why})"
        self._orders.alarm("UNPROTECTED", f"{text}: only the engine watches the position", stop.tag)

    def _is_allowed(self, now: datetime) -> bool:
        return OrderType.SL in self._tools.deps.calendar.allowed_order_types(now, self._orders.instrument_class)

    @staticmethod
    def _side(lot: int) -> Side:
        return Side.SELL if lot > 0 else Side.BUY
