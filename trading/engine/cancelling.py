"""A cancel is asked for until its order is final: an answer is only a hint."""

import logging
from collections.abc import Callable

from trading.domain.backoff import Backoff
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.orders import Working
from trading.engine.tools import Tools, Way

logger = logging.getLogger(__name__)

LOOKS_AFTER_S = 1.0
ALARMS_AFTER_CANCELS = 5


class Canceller:
    """Cancels one account's orders. `queue_again` brings a cancel into the rate budget's queue once more."""

    def __init__(
        self,
        tools: Tools,
        desk: AccountDesk,
        *,
        want_orders: Callable[[], None],
        queue_again: Callable[[Working], None],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._want_orders = want_orders
        self._queue_again = queue_again
        self._again = Backoff(first_s=1.0, most_s=15.0)

    async def cancel(self, working: Working) -> None:
        """Ask for a cancel. Its answer is only a hint: fills may still come, so the order is looked after."""
        if not working.may_fill:
            return
        working.cancels_asked += 1
        if self._tools.right.way() in (Way.STORE, Way.JOURNAL):  # a cancel adds nothing, and makes room for exits
            try:
                await self._desk.broker.cancel(working.order_id)
                crash_at("cancel_sent")
                self._desk.note(working, "CANCEL_SENT", {"order_id": working.order_id})
            except Exception as error:
                logger.info("cancel of order_id=%s had no success: %r", working.order_id, error)
                self._desk.heard_error(error)
                self._want_orders()
        self._tools.work.spawn(self._look_after(working), f"look after {working.tag}", counts=False)

    async def _look_after(self, working: Working) -> None:
        """Ask again, ever more slowly, until a cancelled order is final."""
        await self._tools.clock.sleep(LOOKS_AFTER_S)
        if working.may_fill:
            self._want_orders()  # perhaps no message told of its end
            await self._tools.clock.sleep(self._again.wait_s(working.cancels_asked, 1.0))
        if not working.may_fill:
            return
        if working.cancels_asked == ALARMS_AFTER_CANCELS:
            text = f"an order for {working.intent.key.instrument} could not be cancelled yet"
            self._desk.alarm(working, "CANCEL_FAILED", text)
        self._queue_again(working)
