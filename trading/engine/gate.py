"""The one gate, last before the wire. Every order passes here, in one fixed order of checks, and each verdict is kept.

It fails closed for entries: what is unknown denies. Exits are held only by what would make them wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.control import state_denial
from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled
from trading.domain.orders import TAG_LENGTH, OrderType
from trading.domain.risk import (
    FEED_STALE_AFTER_S,
    Denial,
    check_day_limits,
    check_entry_cutoff,
    check_open_positions,
    check_order_value,
    check_price_collar,
    check_reduce_only,
    check_session,
    check_tick_age,
    check_trades_today,
)
from trading.domain.ticks import Tick
from trading.engine.client import ClientBook, LastPrice
from trading.engine.control_state import ControlState
from trading.engine.desk import AccountDesk
from trading.engine.orders import Working
from trading.engine.tools import Tools

COLLAR_PERCENT = Decimal(20)
"""An entry further than this from yesterday's close is not believed."""


@dataclass(frozen=True)
class GateResult:
    """All verdicts up to the first denial; `denial` is None when the order may be claimed."""

    verdicts: tuple[dict[str, Any], ...]
    denial: Denial | None


@dataclass(frozen=True)
class Gate:
    """The checks of one account's orders."""

    tools: Tools
    control: ControlState
    client: ClientBook
    desk: AccountDesk
    instrument_of: Callable[[str], Instrument | None]
    last_tick: Callable[[str], Tick | None]
    last_price: LastPrice

    def check(self, working: Working) -> GateResult:
        """Judge one order now. An error inside a check denies, too."""
        verdicts: list[dict[str, Any]] = []
        for name, look in self._checks(working):
            try:
                denial = look()
            except Exception as error:
                denial = Denial("GATE_ERROR", f"the check {name} failed: {error!r}")
            verdicts.append(
                {"check": name, "ok": denial is None}
                if denial is None
                else {"check": name, "ok": False, "code": denial.code, "message": denial.message}
            )
            if denial is not None:
                return GateResult(tuple(verdicts), denial)
        return GateResult(tuple(verdicts), None)

    def _checks(self, working: Working) -> Iterator[tuple[str, Callable[[], Denial | None]]]:
        is_entry = not working.purpose.is_exit
        yield "kill_state", lambda: self._kill_state(working)
        yield "lease", lambda: self._lease(is_entry=is_entry)
        if is_entry:
            yield "session", lambda: self._session(working)
            yield "cutoff", self._cutoff
            yield "reconciled", self._reconciled
            yield "feed", self._feed
            yield "tick", lambda: self._tick_age(working)
            yield "day_limits", self._day_limits
            yield "trades_today", lambda: self._trades_today(working)
            yield "open_positions", lambda: self._open_positions(working)
            yield "order_value", lambda: self._order_value(working)
            yield "price_collar", lambda: self._collar(working)
        else:
            yield "reduce_only", lambda: self._reduce_only(working)
        if is_entry:
            yield "day_calls", self._day_calls
        yield "order_rules", lambda: self._order_rules(working)

    # -- each check --------------------------------------------------------------------------------------------

    def _kill_state(self, working: Working) -> Denial | None:
        if working.is_withdrawn:
            return Denial("WITHDRAWN", "the order was withdrawn before it was sent")
        own = self.control.of(self.client.client_id)
        found = state_denial(working.purpose, house=self.control.house, client=own)
        latched = self.control.latched.get(self.client.client_id)
        if found is not None and latched:
            return Denial("LATCHED", latched)
        return Denial(*found) if found else None

    def _lease(self, *, is_entry: bool) -> Denial | None:
        right = self.tools.right
        if not right.may_send():
            return Denial("LEASE_LOST", f"the lease of epoch {right.epoch} was not renewed in time")
        if is_entry and not right.may_enter:
            return Denial("STANDBY", "the standby took over and only exits")
        return None

    def _session(self, working: Working) -> Denial | None:
        instrument = self._instrument(working)
        if instrument is None:
            return Denial("UNKNOWN_INSTRUMENT", f"{working.intent.key.instrument} is not among today's plans")
        if self.client.is_squared_off:
            return Denial("SQUARED_OFF", "the client was squared off for today")
        return check_session(self.tools.deps.calendar, self.tools.now(), instrument.instrument_class)

    def _cutoff(self) -> Denial | None:
        return check_entry_cutoff(self.tools.now(), self.client.policy.no_new_entry_after)

    def _reconciled(self) -> Denial | None:
        return None if self.desk.is_reconciled else Denial("NOT_RECONCILED", self.desk.why_not)

    def _feed(self) -> Denial | None:
        trouble = self.control.feed_trouble
        return Denial("STALE_FEED", trouble) if trouble else None

    def _tick_age(self, working: Working) -> Denial | None:
        tick = self.last_tick(working.intent.key.instrument)
        now = Decimal(str(self.tools.now().timestamp()))
        age = now - tick.exchange_ts if tick else None
        # A tick's time stamp is cut to whole seconds.
        return check_tick_age(age_s=age, limit_s=Decimal(FEED_STALE_AFTER_S))

    def _day_limits(self) -> Denial | None:
        pnl, policy = self.client.pnl(self.last_price), self.client.policy
        if pnl.unpriced:
            return Denial("UNPRICED", f"no last price is known for {', '.join(pnl.unpriced)}")
        return check_day_limits(
            realised=pnl.realised,
            unrealised=pnl.unrealised,
            loss_limit=policy.daily_loss_limit,
            profit_limit=policy.daily_profit_limit,
        )

    def _trades_today(self, working: Working) -> Denial | None:
        sent = self.client.entries_sent(besides=working)
        return check_trades_today(sent, limit=self.client.policy.max_trades_per_day)

    def _open_positions(self, working: Working) -> Denial | None:
        others = self.client.open_positions(besides=self.desk.line(working.intent.key.instrument))
        return check_open_positions(others, limit=self.client.policy.max_open_positions)

    def _order_value(self, working: Working) -> Denial | None:
        price = self.last_price(working.intent.key.instrument)
        if price is None:
            return Denial("NO_TICK", "no tick has come today")
        limit = self.client.policy.max_order_value
        return check_order_value(quantity=working.intent.quantity, price=price, limit=limit)

    def _collar(self, working: Working) -> Denial | None:
        tick = self.last_tick(working.intent.key.instrument)
        if tick is None:
            return Denial("NO_TICK", "no tick has come today")
        reference = from_scaled(tick.close) if tick.close > 0 else None
        return check_price_collar(price=from_scaled(tick.ltp), reference=reference, collar_percent=COLLAR_PERCENT)

    def _day_calls(self) -> Denial | None:
        budget = self.desk.budget
        if not budget.is_spent:
            return None
        return Denial("DAY_CALLS_SPENT", f"{budget.today} order calls were made today, the rest is kept for exits")

    def _reduce_only(self, working: Working) -> Denial | None:
        instrument, intent = working.intent.key.instrument, working.intent
        return check_reduce_only(
            net_quantity=self.desk.orders.net(instrument),
            working_exit_quantity=self.desk.orders.working_exit_units(instrument, besides=working),
            signed_quantity=intent.side.sign * intent.quantity,
        )

    def _order_rules(self, working: Working) -> Denial | None:
        intent = working.intent
        if len(intent.tag) > TAG_LENGTH or not intent.tag.isalnum():
            return Denial("BAD_TAG", f"the tag was {intent.tag!r}")
        if intent.order_type is OrderType.MARKET and intent.protection_percent == 0:
            return Denial("NO_PROTECTION", "a market order needs market protection")
        instrument = self._instrument(working)
        if instrument is None or working.purpose.is_exit:
            return None
        if intent.quantity % instrument.lot_size:
            return Denial("LOT_SIZE", f"quantity must be a multiple of {instrument.lot_size}, was {intent.quantity}")
        if intent.price is not None and intent.price % instrument.tick_size:
            return Denial("TICK_SIZE", f"price must be a multiple of {instrument.tick_size}, was {intent.price}")
        return None

    def _instrument(self, working: Working) -> Instrument | None:
        return self.instrument_of(working.intent.key.instrument)
