"""The exits of one line: at most one alive, tried again for what is left until nothing more is to go.

What is above the freeze quantity goes in slices, one after the other and each an exit of its own: so the database's
"at most one live exit a position" holds for slices too, and a slice is never more than what is open when it leaves.
Positions are exited beside one another; only the slices of one position wait for each other.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.orders import IntentState, OrderIntent, OrderType, Purpose, Side
from trading.domain.timezone import to_ist
from trading.engine.line_orders import LineOrders
from trading.engine.orders import MOST_CHANGES, Working
from trading.engine.tools import Tools
from trading.engine.wishes import RANK, ExitWish

REPRICE_AFTER = tuple(timedelta(seconds=s) for s in (2, 4, 8))
"""Market time that an exit rests before its first, second and third step."""
KEEPS_LOOKING = timedelta(seconds=30)
"""Market time between looks after those steps: a circuit may open, or its band be moved."""
MOST_ROUNDS = 5
"""Orders a purpose may send one after the other before a person is called."""
SLOWLY_AGAIN = timedelta(minutes=2)
"""Market time between tries after that: what hinders an exit may pass, and nobody else would close it."""
PROTECTIONS = tuple(Decimal(p) for p in (-1, 2, 3, 5))
"""Market protection in percent of each new order after a refused one; -1 is the broker's own band."""


class ExitPursuit:
    """What is to go, and how often it was tried. `look_again` has the line look at everything once more; `give_way`
    has the stop that rests at the exchange cancelled, and says whether it is gone."""

    def __init__(
        self, tools: Tools, orders: LineOrders, look_again: Callable[[], None], give_way: Callable[[], bool]
    ) -> None:
        self.wish: ExitWish | None = None
        self._tools = tools
        self._orders = orders
        self._look_again = look_again
        self._give_way = give_way
        self._slice = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Count the tries from the first again."""
        self._attempts = self._step = 0
        self._not_before: datetime | None = None
        self._has_given_up = False

    def want(self, wish: ExitWish) -> None:
        """Want this, unless something stronger is wanted already."""
        present = self.wish
        if present is not None and RANK[present.purpose] > RANK[wish.purpose]:
            return
        if present is not None and present.purpose is wish.purpose and wish.purpose is not Purpose.TARGET:
            return
        if present is None or (present.purpose, present.round) != (wish.purpose, wish.round):
            self.begin_anew()
            self._slice = 0
        self.wish = wish

    @property
    def patience(self) -> timedelta:
        """Market time that the present attempt gets."""
        return REPRICE_AFTER[min(max(self._attempts, 1), len(REPRICE_AFTER)) - 1]

    def pursue(self) -> None:
        """Clear the way, or send what is to go and may go now."""
        wish = self.wish
        if wish is None:
            return
        self._clear_the_way(wish)
        surplus = self._surplus(wish)
        if self._orders.blockers or (self._orders.alive and surplus <= 0):
            return
        if surplus <= 0:
            self.wish = None
            self.begin_anew()
            self._slice = 0
        elif (self._not_before is None or self._tools.now() >= self._not_before) and self._give_way():
            self._send(wish, surplus)

    def trim(self) -> None:
        """Cancel exits that would close more than is open: somebody else closed a part, or a late twin did."""
        wish, exits = self.wish, [one for one in self._orders.exits if self._orders.remaining(one)]
        open_ = self._orders.net if wish is None else self._open(wish)
        room = max(0, abs(open_) - (wish.keep if wish else 0))
        is_too_much = sum(self._orders.remaining(one) for one in exits) > room
        for working in exits:
            if is_too_much or working.intent.side.sign * open_ >= 0:
                self._orders.cancel(working)

    def finished(self, working: Working) -> None:
        """An exit can fill no more: try again for what it left, at once where that was wanted or proved."""
        if working.filled >= working.intent.quantity:
            self.begin_anew()
            self._slice += 1
        elif self.wish is not None and not self._goes_on_at_once(self.wish, working):
            self._failed(working)

    def acknowledged(self, working: Working) -> None:
        """The broker has an exit: look at it again after a while."""
        self._look_at(working, self.patience)

    def _look_at(self, working: Working, after: timedelta) -> None:
        self._tools.timers.set(("order", working.tag), self._tools.now() + after, lambda: self._overdue(working))

    def _overdue(self, working: Working) -> None:
        """An exit rests too long: take it further through the market, call a person, and go on looking.

        One that was changed as often as it may be is cancelled; a new one follows when that is final.
        """
        if not working.may_fill or working.is_withdrawn:
            return
        if self._orders.is_in_auction or self._orders.opens_at is not None:
            self._look_at(working, KEEPS_LOOKING)  # nothing can be changed, or nothing fills before the match
            return
        if working.changes >= MOST_CHANGES:
            if self._has_given_up:  # one order after the other that cannot be changed: each is told
                self._not_filled(working)
            self._orders.cancel(working)
            return
        if self._step == len(REPRICE_AFTER) and not working.is_locked:
            self._not_filled(working)
        self._orders.reprice(working, self._step)
        self._step += 1
        waits = (*REPRICE_AFTER, REPRICE_AFTER[-1])
        self._look_at(working, waits[self._step] if self._step < len(waits) else KEEPS_LOOKING)

    def _not_filled(self, working: Working) -> None:
        text = f"cannot exit {working.remaining} {self._orders.instrument}: the order rests unfilled at the broker"
        self._orders.alarm("EXIT_NOT_FILLED", text, working.tag)

    # -- inside ------------------------------------------------------------------------------------------------

    def _open(self, wish: ExitWish) -> int:
        return self._orders.net if wish.is_whole else self._orders.lot

    def _surplus(self, wish: ExitWish) -> int:
        """Units more than what the wish wants to keep."""
        return abs(self._open(wish)) - wish.keep

    def _goes_on_at_once(self, wish: ExitWish, working: Working) -> bool:
        """We wanted its end, or its absence took long enough to prove, or the gate held it as more than is left."""
        surplus = self._surplus(wish)
        was_too_much = working.state is IntentState.DENIED and surplus < working.intent.quantity
        return working.is_withdrawn or working.state is IntentState.ABSENT or surplus <= 0 or was_too_much

    def _clear_the_way(self, wish: ExitWish) -> None:
        """An entry, a late order or a weaker exit leaves before the wanted exit goes out."""
        for working in list(self._orders.alive):
            weaker = working.purpose.is_exit and RANK[working.purpose] < RANK[wish.purpose]
            if not working.purpose.is_exit or working.is_late or weaker:
                self._orders.cancel(working)

    def _send(self, wish: ExitWish, quantity: int) -> None:
        opens_at = self._orders.opens_at
        if opens_at is not None:
            self._wait_for_auction(quantity, opens_at)
            return
        if self._attempts >= MOST_ROUNDS and not self._has_given_up:
            self._give_up(wish, quantity)
            return
        protection = PROTECTIONS[min(self._attempts, len(PROTECTIONS) - 1)]
        side = Side.SELL if self._open(wish) > 0 else Side.BUY
        limit = self._orders.auction_limit(side, self._attempts)
        self._attempts, self._step = self._attempts + 1, 0
        key = self._orders.free_key(wish.purpose, wish.round, self._slice)
        most, algo_id = self._orders.at_most(quantity), self._orders.ref.algo_id
        kind = OrderType.MARKET if limit is None else OrderType.LIMIT
        intent = OrderIntent(key, side, most, kind, limit, protection_percent=protection, algo_id=algo_id)
        self._orders.send(intent, wish.reason, whole=quantity)

    def _wait_for_auction(self, quantity: int, opens_at: datetime) -> None:
        """Continuous trading left something over: no order is taken now, and the tries begin anew in the auction."""
        self.begin_anew()
        self._wait(opens_at - self._tools.now())
        text = (
            f"{quantity} {self._orders.instrument} are left over from continuous trading: a limit order goes into the "
            f"closing auction at {to_ist(opens_at):%H:%M:%S}"
        )
        self._orders.alarm("LEFT_FOR_AUCTION", text)

    def _failed(self, working: Working) -> None:
        """An exit was refused or died: wait a little, try again, call a person when the tries are used up."""
        self._wait(SLOWLY_AGAIN if self._has_given_up else self.patience)
        words = (working.order.status_message if working.order else working.words) or working.state.value
        text = f"exit of {working.intent.quantity} {self._orders.instrument} failed: {words}"
        self._orders.alarm("EXIT_FAILED", text, working.tag)

    def _give_up(self, wish: ExitWish, quantity: int) -> None:
        self._has_given_up = True
        self._wait(SLOWLY_AGAIN)
        text = f"{quantity} {self._orders.instrument} are still open after {MOST_ROUNDS} tries to exit ({wish.purpose})"
        self._orders.alarm("EXIT_GIVEN_UP", f"{text}. Close them in the broker's app.")

    def _wait(self, how_long: timedelta) -> None:
        self._not_before = self._tools.now() + how_long
        key = ("exit again", self._orders.ref.key, self._orders.instrument)
        self._tools.timers.set(key, self._not_before, self._look_again)
