"""Judges the gate's verdicts again from the facts that the log keeps with each: was every yes right, and every no?"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from trading.domain.calendar import MarketCalendar
from trading.domain.caps import HOUSE, Cap, Entered, HouseCaps, repeats
from trading.domain.control import TradingState, state_denial
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import Purpose
from trading.domain.risk import (
    Denial,
    check_day_limits,
    check_entry_cutoff,
    check_open_positions,
    check_order_quantity,
    check_order_value,
    check_price_collar,
    check_reduce_only,
    check_session,
    check_signal_age,
    check_tick_age,
    check_trades_today,
)

Facts = Mapping[str, Any]
NEEDED_BY_AN_ENTRY = (
    *(
        "kill_file",
        "kill_state",
        "lease",
        "session",
        "instrument",
        "cutoff",
        "reconciled",
        "feed",
        "signal",
        "tick",
        "day_limits",
        "repeats",
    ),
    *("trades_today", "open_positions", "order_quantity", "order_value", "price_collar", "order_rules", "claim"),
)
"""Without each of these an entry may not have left (invariant I8)."""
NEEDED_BY_AN_EXIT = ("kill_state", "lease", "claim")
NOT_BY_FACTS = frozenset(
    {"GATE_ERROR", "WITHDRAWN", "NOT_NEW", "ACCOUNT_DISABLED", "LADDER_STOPPED", "UNKNOWN_INSTRUMENT", "UNPRICED"}
    | {"NO_TICK", "BROKER_UNREADABLE", "ALREADY_THERE", "BAD_TAG", "NO_PROTECTION", "LEASE_LOST"}
)
"""Denials that say all there is; a denial holds nothing open that should be shut."""


def wrong_verdicts(data: Mapping[str, Any], calendar: MarketCalendar) -> Iterator[str]:
    """Say what is wrong with the verdicts of one GATE line; nothing when all follow from their facts."""
    purpose, verdicts = Purpose(data["purpose"]), data["verdicts"]
    passed = {verdict["check"] for verdict in verdicts if verdict["ok"]}
    claimed = "claim" in passed
    needed = NEEDED_BY_AN_EXIT if purpose.is_exit else NEEDED_BY_AN_ENTRY
    if claimed and (missing := [name for name in needed if name not in passed]):
        yield f"an order left without {', '.join(missing)}"
    if claimed and any(not verdict["ok"] for verdict in verdicts) and "second_path" not in passed:
        yield "an order left although a check denied it"
    for verdict in verdicts:
        judge = _JUDGES.get(verdict["check"])
        if judge is None or "facts" not in verdict or verdict.get("code") in NOT_BY_FACTS:
            continue
        try:
            denial = judge(verdict["facts"], purpose, calendar)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            yield f"the facts of {verdict['check']} cannot be read: {error!r}"
            continue
        if (denial is None) != verdict["ok"]:
            yield f"{verdict['check']} was {'passed' if verdict['ok'] else 'denied'}, its facts say {denial or 'pass'}"


def _states(facts: Facts, purpose: Purpose, _: MarketCalendar) -> Denial | None:
    states = {name: TradingState(facts[name]) for name in ("house", "client", "account")}
    found = state_denial(purpose, **states)
    return Denial(*found) if found else None


def _lease(facts: Facts, purpose: Purpose, _: MarketCalendar) -> Denial | None:
    may = facts["way"] == "STORE" or (purpose.is_exit and facts["way"] == "JOURNAL")
    return None if may and (purpose.is_exit or facts["may_enter"]) else Denial("LEASE_LOST", "the lease says no")


def _session(facts: Facts, _: Purpose, calendar: MarketCalendar) -> Denial | None:
    if facts["squared_off"]:
        return Denial("SQUARED_OFF", "the client was squared off")
    return check_session(calendar, _moment(facts["now"]), InstrumentClass(facts["class"]))


def _tick(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    stamp = facts["exchange_ts"]
    age = None if stamp is None else Decimal(str(_moment(facts["now"]).timestamp())) - stamp
    return check_tick_age(age_s=age, limit_s=Decimal(facts["limit_s"]))


def _signal(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    age = (_moment(facts["now"]) - _moment(facts["decided_at"])).total_seconds()
    return check_signal_age(age_s=Decimal(str(age)), limit_s=Decimal(facts["limit_s"]))


def _day_limits(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    loss, profit = (None if facts[name] is None else Decimal(facts[name]) for name in ("loss_limit", "profit_limit"))
    realised, unrealised = Decimal(facts["realised"]), Decimal(facts["unrealised"])
    return check_day_limits(realised=realised, unrealised=unrealised, loss_limit=loss, profit_limit=profit)


def _repeats(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    entries = [Entered(position, sign, _moment(at)) for position, sign, at in facts["entries"]]
    most, seconds = facts["same_side"]
    caps = HouseCaps(entries_a_ladder=facts["most"], same_side_entries=most, same_side_seconds=seconds)
    why = repeats(entries, sign=facts["sign"], now=_moment(facts["now"]), caps=caps, own=None)
    return Denial("REPEATED_EXECUTION", why) if why else None


def _order_value(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    return check_order_value(quantity=facts["quantity"], price=Decimal(facts["price"]), cap=_money(facts))


def _collar(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    reference = None if facts["reference"] is None else Decimal(facts["reference"])
    found = (
        check_price_collar(price=Decimal(price), reference=reference, cap=_money(facts)) for price in facts["prices"]
    )
    return next((denial for denial in found if denial is not None), None)


def _reduce_only(facts: Facts, _: Purpose, __: MarketCalendar) -> Denial | None:
    names = ("net_quantity", "working_exit_quantity", "signed_quantity")
    return check_reduce_only(**{name: facts[name] for name in names})


def _count(facts: Facts) -> Cap[int]:
    return Cap(int(facts["limit"]), HOUSE)


def _money(facts: Facts) -> Cap[Decimal]:
    return Cap(Decimal(facts["limit"]), HOUSE)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_JUDGES: dict[str, Callable[[Facts, Purpose, MarketCalendar], Denial | None]] = {
    "kill_file": lambda facts, *_: Denial("KILL_SWITCH", facts["why"]) if facts["why"] else None,
    "kill_state": _states,
    "claim": lambda facts, purpose, calendar: None if facts.get("journal") else _states(facts, purpose, calendar),
    "lease": _lease,
    "session": _session,
    "instrument": lambda facts, *_: Denial("INSTRUMENT_UNFIT", facts["why_not"]) if facts["why_not"] else None,
    "cutoff": lambda facts, *_: check_entry_cutoff(_moment(facts["now"]), time.fromisoformat(facts["until"])),
    "reconciled": lambda facts, *_: Denial("NOT_RECONCILED", facts["why_not"]) if facts["why_not"] else None,
    "feed": lambda facts, *_: Denial("STALE_FEED", facts["trouble"]) if facts["trouble"] else None,
    "signal": _signal,
    "tick": _tick,
    "day_limits": _day_limits,
    "repeats": _repeats,
    "trades_today": lambda facts, *_: check_trades_today(facts["trades"], cap=_count(facts)),
    "open_positions": lambda facts, *_: check_open_positions(facts["open"], cap=_count(facts)),
    "order_quantity": lambda facts, *_: check_order_quantity(facts["quantity"], cap=_count(facts)),
    "order_value": _order_value,
    "price_collar": _collar,
    "reduce_only": _reduce_only,
    "second_path": _reduce_only,
}
