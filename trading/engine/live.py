"""What the pages are told: at most four times a second a client, always the newest."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from trading.domain.control import TradingState, strictest
from trading.domain.instruments import InstrumentClass
from trading.domain.money import format_scaled, to_paisa
from trading.domain.orders import Product
from trading.domain.positions import PositionKey
from trading.engine.client import ClientBook, DayPnl
from trading.engine.house import House
from trading.engine.line import PositionLine
from trading.engine.orders import Working
from trading.engine.tools import Tools

FLUSHES_EVERY_S = 0.25


class LiveView:
    """Gathers what changed and publishes it in one go. Losing a message is allowed."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._pnl: dict[int, DayPnl] = {}
        self._lines: dict[tuple[str, str], PositionLine] = {}
        self._orders: dict[str, tuple[int, Working]] = {}
        self._states: set[int] = set()
        self._last_market: Mapping[str, Any] = {}
        self._market_at: datetime | None = None

    # -- what changed ------------------------------------------------------------------------------------------

    def pnl(self, client: ClientBook, pnl: DayPnl) -> None:
        """The client's P&L changed, and with it the positions that are open."""
        self._pnl[client.client_id] = pnl
        for desk in client.desks:
            for position in desk.orders.positions.open_positions():
                self.position(desk.line(position.key.instrument))

    def position(self, line: PositionLine) -> None:
        """A line changed."""
        self._lines[(line.ref.key, line.instrument)] = line

    def order(self, client_id: int, working: Working) -> None:
        """An order changed."""
        self._orders[working.tag] = (client_id, working)

    def state(self, client_id: int) -> None:
        """The client's state, or what hinders its entries, changed."""
        self._states.add(client_id)

    def all_states(self) -> None:
        """Something that hinders everybody's entries changed."""
        self._states.update(self._house.clients)

    # -- telling -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            self.flush()
            await self._tools.clock.sleep(FLUSHES_EVERY_S)

    def flush(self) -> None:
        """Publish what gathered. What cannot be told is not tried again, and keeps nothing else from being told.

        Raises the first such failure when all else is told.
        """
        failures: list[Exception] = []
        for client_id, kind, message in self._taken():
            try:
                self._tools.deps.live.publish(client_id, kind, message())
            except Exception as error:
                failures.append(error)
        self._tell_market()
        if failures:
            raise failures[0]

    def _tell_market(self) -> None:
        """Tell the market's time and phase when they changed. They cannot while market time stands."""
        now = self._tools.now()
        if now == self._market_at:
            return
        self._market_at, market = now, self._market_message(now)
        if market != self._last_market:
            self._last_market = market
            self._tools.deps.live.publish(None, "market", market)

    def _taken(self) -> list[tuple[int, str, Callable[[], Mapping[str, Any]]]]:
        """Take what gathered: for whom, of what kind, and what makes the message."""
        taken: list[tuple[int, str, Callable[[], Mapping[str, Any]]]] = []
        taken += [(client_id, "order", partial(order_message, working)) for client_id, working in self._orders.values()]
        lines = self._lines.values()
        taken += [(line.ref.client_id, "position", partial(self._position_message, line)) for line in lines]
        taken += [
            (client_id, "pnl", partial(self._pnl_message, client_id, pnl)) for client_id, pnl in self._pnl.items()
        ]
        taken += [(client_id, "state", partial(self.state_message, client_id)) for client_id in self._states]
        self._orders, self._lines, self._pnl, self._states = {}, {}, {}, set()
        return taken

    def state_message(self, client_id: int) -> dict[str, Any]:
        """Say the state, and why nothing is entered when nothing is."""
        state = self._house.state_of(client_id)
        return {"state": state.value, "reason": self.why_no_entries(client_id)}

    def why_no_entries(self, client_id: int) -> str:
        """Give the first thing that keeps this client from entering, empty when nothing does."""
        control, client = self._house.control, self._house.clients[client_id]
        why_closed = self._tools.deps.calendar.why_no_entries(self._tools.now(), InstrumentClass.EQUITY)
        unready = [desk.why_not for desk in client.desks if not desk.is_reconciled]
        stopped = [desk.ref.key for desk in client.desks if control.of_account(desk.ref.key) is not TradingState.ACTIVE]
        reasons = [
            control.latched.get(client_id, ""),
            "" if strictest(control.house, control.of(client_id)) is TradingState.ACTIVE else "kill switch",
            f"kill switch of {', '.join(stopped)}" if stopped and len(stopped) == len(client.desks) else "",
            "" if self._tools.right.may_enter else "the standby took over and only exits",
            "squared off for today" if client.is_squared_off else "",
            why_closed or "",
            control.feed_trouble,
            unready[0] if unready else "",
        ]
        return next((reason for reason in reasons if reason), "")

    def _pnl_message(self, client_id: int, pnl: DayPnl) -> dict[str, Any]:
        policy = self._house.clients[client_id].policy
        loss, profit = policy.daily_loss_limit, policy.daily_profit_limit
        return {
            "realised": str(to_paisa(pnl.realised)),
            "unrealised": str(to_paisa(pnl.unrealised)),
            "total": str(to_paisa(pnl.total)),
            "loss_left": None if loss is None else str(to_paisa(loss + pnl.total)),
            "profit_left": None if profit is None else str(to_paisa(profit - pnl.total)),
            "unpriced": list(pnl.unpriced),
        }

    def _position_message(self, line: PositionLine) -> dict[str, Any]:
        desk = self._house.accounts[line.ref.key].desk
        position = desk.orders.positions.position(PositionKey(line.instrument, Product.MIS))
        price = self._house.instruments.last_price(line.instrument)
        unrealised = None if price is None else position.unrealised_pnl(price)
        return {
            "account": line.ref.key,
            "instrument": line.instrument,
            "side": "long" if line.net > 0 else "short" if line.net < 0 else "",
            "open": abs(line.net),
            "net_quantity": line.net,
            "bought": position.buy_quantity,
            "sold": position.sell_quantity,
            "average_price": _text(position.average_price),
            "ltp": _text(price),
            "realised": str(to_paisa(position.realised_pnl)),
            "unrealised": None if unrealised is None else str(to_paisa(unrealised)),
            **self._ladder_part(line),
        }

    def _ladder_part(self, line: PositionLine) -> dict[str, Any]:
        runner = self._house.runner_of(line)
        ladder = runner.ladder if runner else None
        if ladder is None or ladder.levels is None:
            return {"levels": None, "k": 0, "y": None, "stop": None, "working": _working_words(line)}
        side, stop = ladder.position_side, ladder.stop
        return {
            "levels": ladder.levels.of(side).as_dict() if side else None,
            "k": ladder.targets_reached,
            "y": ladder.targets_reached + 1 if side else None,
            "stop": None if stop is None else format_scaled(stop),
            "working": _working_words(line),
        }

    def _market_message(self, now: datetime) -> dict[str, Any]:
        phase = self._tools.deps.calendar.phase_at(now, InstrumentClass.EQUITY)
        return {"time": now.isoformat(timespec="seconds"), "phase": phase.value}


def order_message(working: Working) -> dict[str, Any]:
    """Shape one order of ours for a page."""
    intent, order = working.intent, working.order
    return {
        "tag": working.tag,
        "order_id": working.order_id,
        "account": intent.key.account,
        "instrument": intent.key.instrument,
        "purpose": intent.key.purpose.value,
        "side": intent.side.value,
        "quantity": intent.quantity,
        "filled": working.filled,
        "average_price": _text(order.average_price) if order and order.filled_quantity else None,
        "state": working.state.value,
        "status": order.status.value if order else "",
        "message": order.status_message if order else "",
        "decided_at": working.decided_at.isoformat(),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(to_paisa(amount))


def _working_words(line: PositionLine) -> str:
    """Say what is on its way: `exiting 25 (target)`."""
    words = [
        f"{'exiting' if w.purpose.is_exit else 'entering'} {w.remaining} ({w.purpose.value.replace('_', ' ').lower()})"
        for w in (*line.live_entries, *line.live_exits)
    ]
    return ", ".join(words)
