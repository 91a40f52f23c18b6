"""The checks that only entries pass: is the market open and known, is the price fresh, is every cap kept.

Each gives what it judged by, so that the log alone shows that it was right. What is unknown denies.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from trading.domain.caps import Cap, Entered, HouseCaps, repeats, tighter
from trading.domain.money import from_scaled
from trading.domain.risk import (
    FEED_STALE_AFTER_S,
    SIGNAL_HOLDS_S,
    Denial,
    check_day_limits,
    check_entry_cutoff,
    check_open_positions,
    check_order_quantity,
    check_order_value,
    check_price_collar,
    check_session,
    check_signal_age,
    check_tick_age,
    check_trades_today,
)
from trading.domain.ticks import Tick
from trading.engine.orders import Working
from trading.engine.sight import Finding, Sight

NO_TICK = Denial("NO_TICK", "no tick has come today")


class EntryChecks:
    """See the module. Caps are the tighter of the house's and the client's own."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def all(self, working: Working) -> Iterator[tuple[str, Callable[[], Finding]]]:
        """Give every check by its name, in their order."""
        yield "session", lambda: self._session(working)
        yield "instrument", lambda: self._instrument(working)
        yield "cutoff", self._cutoff
        yield "reconciled", self._reconciled
        yield "feed", lambda: self._feed(working)
        yield "signal", lambda: self._signal_age(working)
        yield "tick", lambda: self._tick_age(working)
        yield "day_limits", self._day_limits
        yield "repeats", lambda: self._repeats(working)
        yield "trades_today", lambda: self._trades_today(working)
        yield "open_positions", lambda: self._open_positions(working)
        yield "order_quantity", lambda: self._order_quantity(working)
        yield "order_value", lambda: self._order_value(working)
        yield "price_collar", lambda: self._collar(working)
        yield "day_calls", self._day_calls
        yield "calls_now", self._calls_now

    # -- market, book and feed ---------------------------------------------------------------------------------

    def _session(self, working: Working) -> Finding:
        instrument, now = self._sight.instrument(working), self._sight.tools.now()
        if instrument is None:
            name = working.intent.key.instrument
            return Finding(Denial("UNKNOWN_INSTRUMENT", f"{name} is not among today's plans"))
        kind = instrument.instrument_class
        facts = {"now": now.isoformat(), "class": kind.value, "squared_off": self._sight.client.is_squared_off}
        if self._sight.client.is_squared_off:
            return Finding(Denial("SQUARED_OFF", "the client was squared off for today"), facts)
        return Finding(check_session(self._sight.tools.deps.calendar, now, kind), facts)

    def _instrument(self, working: Working) -> Finding:
        why = self._sight.control.unfit.get(working.intent.key.instrument, "")
        return Finding(Denial("INSTRUMENT_UNFIT", why) if why else None, {"why_not": why})

    def _cutoff(self) -> Finding:
        now, last = self._sight.tools.now(), self._sight.client.policy.no_new_entry_after
        return Finding(check_entry_cutoff(now, last), {"now": now.isoformat(), "until": last.isoformat()})

    def _reconciled(self) -> Finding:
        desk = self._sight.desk
        why_not = "" if desk.is_reconciled else desk.why_not or "not reconciled"
        if not why_not:
            why_not = "the database lacks orders of this account" if desk.outcomes.is_owing else desk.held_off
        return Finding(Denial("NOT_RECONCILED", why_not) if why_not else None, {"why_not": why_not})

    def _feed(self, working: Working) -> Finding:
        control = self._sight.control
        trouble = control.feed_trouble or control.disputed.get(working.intent.key.instrument, "")
        return Finding(Denial("STALE_FEED", trouble) if trouble else None, {"trouble": trouble})

    def _tick_age(self, working: Working) -> Finding:
        tick, now = self._tick(working), self._sight.tools.now()
        age = Decimal(str(now.timestamp())) - tick.exchange_ts if tick else None
        facts = {
            "now": now.isoformat(),
            "exchange_ts": tick.exchange_ts if tick else None,
            "ltp": str(from_scaled(tick.ltp)) if tick else None,
            "limit_s": FEED_STALE_AFTER_S,
        }
        # A tick's time stamp is cut to whole seconds.
        return Finding(check_tick_age(age_s=age, limit_s=Decimal(FEED_STALE_AFTER_S)), facts)

    def _signal_age(self, working: Working) -> Finding:
        now = self._sight.tools.now()
        age = Decimal(str((now - working.decided_at).total_seconds()))
        facts = {"now": now.isoformat(), "decided_at": working.decided_at.isoformat(), "limit_s": SIGNAL_HOLDS_S}
        return Finding(check_signal_age(age_s=age, limit_s=Decimal(SIGNAL_HOLDS_S)), facts)

    def _day_limits(self) -> Finding:
        pnl, policy = self._sight.client.pnl(self._sight.last_price), self._sight.client.policy
        if pnl.unpriced:
            return Finding(Denial("UNPRICED", f"no last price is known for {', '.join(pnl.unpriced)}"))
        asked = {
            "realised": pnl.realised,
            "unrealised": pnl.unrealised,
            "loss_limit": policy.daily_loss_limit,
            "profit_limit": policy.daily_profit_limit,
        }
        told = {name: None if value is None else str(value) for name, value in asked.items()}
        return Finding(
            check_day_limits(
                realised=pnl.realised,
                unrealised=pnl.unrealised,
                loss_limit=policy.daily_loss_limit,
                profit_limit=policy.daily_profit_limit,
            ),
            told,
        )

    # -- caps --------------------------------------------------------------------------------------------------

    def _repeats(self, working: Working) -> Finding:
        key, control, now = working.intent.key, self._sight.control, self._sight.tools.now()
        place = (key.account, key.instrument)
        if (why := control.stopped_ladders.get(place)) is not None:
            return Finding(Denial("LADDER_STOPPED", f"stopped until a person lets it go on: {why}"), {"stopped": why})
        since = control.allowed_again.get(place)
        entries = [
            Entered(other.intent.key.position, other.intent.side.sign, other.decided_at)
            for other in self._sight.desk.orders.of(key.instrument)
            if other.counts_as_entry
            and other.intent.key.position != key.position
            and (since is None or other.decided_at > since)
        ]
        caps, own = self._caps(), self._sight.client.policy.max_entries_per_ladder
        sign = working.intent.side.sign
        why = repeats(entries, sign=sign, now=now, caps=caps, own=own)
        facts = {
            "now": now.isoformat(),
            "sign": sign,
            "entries": [[entry.position, entry.sign, entry.at.isoformat()] for entry in entries],
            "most": tighter(own, caps.entries_a_ladder).value,
            "same_side": [caps.same_side_entries, caps.same_side_seconds],
        }
        return Finding(Denial("REPEATED_EXECUTION", why) if why else None, facts)

    def _trades_today(self, working: Working) -> Finding:
        sent = self._sight.client.entries_sent(besides=working)
        cap = tighter(self._sight.client.policy.max_trades_per_day, self._caps().trades_a_day)
        return Finding(check_trades_today(sent, cap=cap), {"trades": sent, **_told(cap)})

    def _open_positions(self, working: Working) -> Finding:
        line = self._sight.desk.line(working.intent.key.instrument)
        others = self._sight.client.open_positions(besides=line)
        cap = tighter(self._sight.client.policy.max_open_positions, self._caps().open_positions)
        return Finding(check_open_positions(others, cap=cap), {"open": others, **_told(cap)})

    def _order_quantity(self, working: Working) -> Finding:
        units = working.whole_quantity
        cap = tighter(self._sight.client.policy.max_order_quantity, self._caps().order_quantity)
        return Finding(check_order_quantity(units, cap=cap), {"quantity": units, **_told(cap)})

    def _order_value(self, working: Working) -> Finding:
        last, units = self._sight.last_price(working.intent.key.instrument), working.whole_quantity
        if last is None:
            return Finding(NO_TICK)
        price = max(last, working.intent.price or last)
        cap = tighter(self._sight.client.policy.max_order_value, self._caps().order_value)
        facts = {"quantity": units, "price": str(price), **_told(cap)}
        return Finding(check_order_value(quantity=units, price=price, cap=cap), facts)

    def _collar(self, working: Working) -> Finding:
        tick, key = self._tick(working), working.intent.key.instrument
        if tick is None:
            return Finding(NO_TICK)
        reference = from_scaled(tick.close) if tick.close > 0 else self._sight.quoted(key)
        cap = tighter(self._sight.client.policy.price_collar_percent, self._caps().collar_percent)
        prices = [from_scaled(tick.ltp), *([working.intent.price] if working.intent.price is not None else [])]
        denials = (check_price_collar(price=price, reference=reference, cap=cap) for price in prices)
        facts = {"prices": [str(price) for price in prices], "reference": reference and str(reference), **_told(cap)}
        return Finding(next((denial for denial in denials if denial is not None), None), facts)

    def _calls_now(self) -> Finding:
        """Deny what could only leave once its signal is too old: it would wait in the queue to be denied for that."""
        waits_s = self._sight.desk.budget.wait_s(self._sight.tools.clock.monotonic(), is_entry=True)
        text = f"the broker takes no entry for {waits_s:.0f} s, a signal holds {SIGNAL_HOLDS_S} s"
        is_too_long = waits_s > SIGNAL_HOLDS_S / 2  # the queue let it through a moment ago for more than the whole
        return Finding(Denial("TOO_MANY_CALLS", text) if is_too_long else None, {"waits_s": round(waits_s, 3)})

    def _day_calls(self) -> Finding:
        budget = self._sight.desk.budget
        text = f"{budget.today} order calls were made today, the rest is kept for exits"
        return Finding(Denial("DAY_CALLS_SPENT", text) if budget.is_spent else None, {"today": budget.today})

    def _tick(self, working: Working) -> Tick | None:
        return self._sight.last_tick(working.intent.key.instrument)

    def _caps(self) -> HouseCaps:
        """Give the house's caps. Raises ValueError while they are unknown or bound nothing: the gate then denies."""
        caps = self._sight.caps()
        if caps is None:
            raise ValueError("the house's caps are not known")
        if problems := caps.problems():
            raise ValueError(f"the house's caps bound nothing: {problems}")
        return caps


def _told(cap: Cap[int] | Cap[Decimal]) -> dict[str, str]:
    return {"limit": str(cap.value), "whose": cap.whose}
