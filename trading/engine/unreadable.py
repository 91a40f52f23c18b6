"""What a broker said and nobody understood. It decides nothing (unknown is not failed, and not flat); a person is told,
because a broker that changed its words makes every later answer doubtful.
"""

from trading.domain.errors import BrokerError
from trading.domain.orders import BrokerOrder, OrderStatus
from trading.engine.tools import Tools
from trading.ports import AccountRef

TELLS_EVERY_S = 60.0
CODE_WORDS = "what it said decides nothing, and it is asked again"


class Unreadable:
    """One account's answers. Told once a minute with how many there were since; a strange word once a day."""

    def __init__(self, tools: Tools, ref: AccountRef) -> None:
        self._tools = tools
        self._ref = ref
        self._told_at = float("-inf")
        self._untold = 0
        self._words: set[str] = set()

    def heard(self, error: Exception) -> None:
        """A call ended with this error: tell it where the answer was a success that could not be understood."""
        if not isinstance(error, BrokerError) or not error.is_unreadable:
            return
        self._untold += 1
        now = self._tools.clock.monotonic()
        if now - self._told_at >= TELLS_EVERY_S:
            times = f" ({self._untold} times)" if self._untold > 1 else ""
            self._told_at, self._untold = now, 0
            self._alarm(f"an answer of {self._ref.key} could not be understood{times}: {error}; {CODE_WORDS}")

    def read(self, order: BrokerOrder) -> None:
        """An order row was read: tell a state that no table knows."""
        if order.status is OrderStatus.UNKNOWN and order.broker_status not in self._words:
            self._words.add(order.broker_status)
            self._alarm(
                f"{self._ref.key} calls an order of {order.instrument} {order.broker_status!r}, "
                "a word that is not known: the order counts as one that may still fill"
            )

    def _alarm(self, text: str) -> None:
        self._tools.alarm(self._ref.client_id, "BROKER_ANSWER_UNREADABLE", text, account=self._ref.key)
