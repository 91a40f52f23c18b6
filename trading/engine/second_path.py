"""The way of an exit whose check in the gate broke: judged anew by what the broker itself says, never let by unchecked.

Our own book may be what is broken, so it is not asked: fresh positions and the fresh order book decide whether the
exit shrinks what is open. When they cannot be read the exit stays denied and its line tries again.
"""

from trading.domain.errors import BrokerError
from trading.domain.orders import BrokerOrder, BrokerPosition
from trading.domain.risk import Denial, check_reduce_only
from trading.engine.gate import GateResult
from trading.engine.order_rules import check_tag_and_protection
from trading.engine.orders import Working
from trading.engine.sight import Finding, Sight
from trading.engine.tools import Way


class SecondPath:
    """See the module. One an account."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    async def judge(self, working: Working, broken: GateResult) -> GateResult:
        """Give the gate's verdicts with this path's own behind them; a person is told either way."""
        text = f"an exit of {working.intent.key.instrument} is judged by the broker's own positions"
        message = broken.denial.message if broken.denial else ""
        self._sight.desk.alarm(working, "GATE_ERROR", f"{text}: {message}")
        return broken.and_then("second_path", await self.look(working))

    async def look(self, working: Working) -> Finding:
        """Ask the broker whether the order is not there yet and shrinks what is open."""
        desk = self._sight.desk
        try:
            orders, positions = await desk.reads.unjudged()
        except BrokerError as error:
            return Finding(Denial("BROKER_UNREADABLE", f"neither the gate nor the broker could judge it: {error}"))
        if working.is_withdrawn:
            return Finding(Denial("WITHDRAWN", "the order was withdrawn before it was sent"))
        if self._sight.tools.right.way() in (Way.NONE, Way.NOT_YET):
            return Finding(Denial("LEASE_LOST", "the lease was not renewed in time"))
        return self._finding(working, orders, positions)

    def _finding(self, working: Working, orders: list[BrokerOrder], positions: list[BrokerPosition]) -> Finding:
        intent = working.intent
        if any(order.tag == working.tag for order in orders):
            return Finding(Denial("ALREADY_THERE", f"the broker's book has {working.tag} already"))
        mine = [row for row in positions if (row.instrument, row.product) == (intent.key.instrument, intent.product)]
        leaving = [
            order.quantity - order.filled_quantity
            for order in orders
            if order.is_live and (order.instrument, order.side) == (intent.key.instrument, intent.side)
        ]
        asked = {
            "net_quantity": sum(row.net_quantity for row in mine),
            "working_exit_quantity": sum(leaving),
            "signed_quantity": intent.side.sign * intent.quantity,
        }
        return Finding(check_tag_and_protection(intent) or check_reduce_only(**asked), asked)
