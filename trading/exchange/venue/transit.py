"""What is on its way to a client: acknowledgements, messages, states that the screens do not show yet.

Under the pace "hold" market time stands until it has arrived, so that how fast the market runs does not decide what
a client knows. One thing holds it no longer than a silent participant does.
"""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

from trading.exchange.venue.latency import Latency
from trading.exchange.venue.orders import Order

HOLDS_AT_MOST_S: Final = 5.0


class Transit:
    """Deliveries under way, by wire time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._numbers = count()
        self._until: dict[int, float] = {}

    def begin(self, seconds: float) -> int:
        """Note a delivery that takes so long; give its number for `end`."""
        number = next(self._numbers)
        self._until[number] = self._monotonic() + min(seconds, HOLDS_AT_MOST_S)
        return number

    def end(self, number: int) -> None:
        """Note that it has arrived."""
        self._until.pop(number, None)

    def left_s(self) -> float:
        """Give the wire seconds for which market time still has to stand, 0 for none."""
        if not self._until:
            return 0.0
        now = self._monotonic()
        self._until = {number: until for number, until in self._until.items() if until > now}
        return max(self._until.values(), default=now) - now


def show_later(transit: Transit, latency: Latency, orders: Iterable[Order], last_trade: int) -> None:
    """Note when the screens will have what was just told of these orders; nothing unless delays are set."""
    for order in orders if latency.delays else ():
        late = latency.draw("book", order.sequence, len(order.history))
        late = max(late, latency.draw("positions", last_trade, 0) if order.filled else 0.0)
        if late:
            transit.begin(late)
