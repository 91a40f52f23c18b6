"""A client's limits: checked, saved, told to the engine."""

from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from trading.domain.caps import is_raise
from trading.domain.errors import TradingError
from trading.domain.money import to_decimal
from trading.domain.square_off import latest_square_off
from trading.domain.timezone import ist_day
from trading.models import Client, User
from trading.models.people import LIMITS
from trading.ports import Clock
from trading.services.accounts import brokers_of
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.stores.calendar import market_calendar
from trading.stores.locks import CONTROL, chain_lock, take

MARKET_OPENS, LATEST_SQUARE_OFF = time(9, 15), time(15, 30)
LARGEST_AMOUNT = Decimal("100000000000")
MONEY_STEP = Decimal("0.01")


class LimitsRefused(TradingError):
    """Limits that make no sense. `problems` says for each field why, in one sentence."""

    code = "LIMITS_REFUSED"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


def save_limits(client: Client, values: Mapping[str, Any], *, by: User | None, clock: Clock) -> Client:
    """Check and save some or all of a client's limits; what is not named stays. Empty or None is no limit.

    Names are those of the client's columns. A tighter limit counts at once; a wider one from the next market day on
    (a slip of the keyboard then costs no money, F65), but at once while the client has not started yet. A latch
    stays: a limit that was reached today is not undone by a wider one. Raises LimitsRefused, and then nothing is saved.
    """
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        row = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        today = ist_day(market_now(clock))
        begin_raises(row, today)
        known = {name: getattr(row, name) for name in _READERS} | asked_limits(row)
        read = _read(row, {**known, **values}, clock)
        changed = {name: value for name, value in read.items() if known[name] != value}
        told = {name: [str(known[name]), str(value)] for name, value in changed.items()}
        waiting = sorted(name for name, value in changed.items() if _waits(row, name, value))
        for name, value in changed.items():
            if name in waiting:
                row.raises[name] = {"to": None if value is None else str(value), "from": _after(today)}
            else:
                setattr(row, name, value)
                row.raises.pop(name, None)
        row.limits_confirmed_at = clock.wall()
        row.save(update_fields=[*_READERS, "raises", "limits_confirmed_at"])
        if changed:
            later = dict.fromkeys(waiting, _after(today))
            said = {"changed": told, "wider_from": later, "by": actor(by)}
            record(client.pk, "LIMITS_CHANGED", said, clock=clock)
            request_reload(row, by=by, clock=clock)
    return row


def asked_limits(client: Client) -> dict[str, Any]:
    """Give each limit that may be raised as it was asked for last, whether it counts yet or not."""
    found = {name: getattr(client, name) for name in LIMITS}
    return found | {
        name: None if raised["to"] is None else LIMITS[name](raised["to"]) for name, raised in client.raises.items()
    }


def begin_raises(client: Client, day: date) -> None:
    """Put the raises that count by now into their columns; the caller saves."""
    for name, value in client.limits_on(day).items():
        setattr(client, name, value)
    client.raises = {name: raised for name, raised in client.raises.items() if raised["from"] > day.isoformat()}


def _waits(client: Client, name: str, value: Any) -> bool:
    return client.onboarded_at is not None and name in LIMITS and is_raise(getattr(client, name), value)


def _after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _read(client: Client, values: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    problems: dict[str, str] = {}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _READERS:
            problems[name] = "there is no such limit"
            continue
        try:
            read[name] = _READERS[name](value)
        except ValueError as error:
            problems[name] = str(error)
    if not problems:
        problems = _times_out_of_order(client, read["no_new_entry_after"], read["square_off_at"], clock)
    if problems:
        raise LimitsRefused(problems)
    return read


def _times_out_of_order(client: Client, no_new_entry_after: time, square_off_at: time, clock: Clock) -> dict[str, str]:
    latest, why = latest_time(client, clock) if square_off_at != client.square_off_at else (LATEST_SQUARE_OFF, "")
    if not MARKET_OPENS < square_off_at <= latest:
        return {"square_off_at": f"must be after {MARKET_OPENS} and by {latest}, was {square_off_at}{why}"}
    if not MARKET_OPENS <= no_new_entry_after <= square_off_at:
        return {
            "no_new_entry_after": f"must be from {MARKET_OPENS} to the square-off at {square_off_at}, "
            f"was {no_new_entry_after}"
        }
    return {}


def latest_time(client: Client, clock: Clock) -> tuple[time, str]:
    """Give the latest time today at which a client may have everything squared off, and why, to be put after it.

    What ends sooner (stocks end before derivatives) is squared off sooner whatever is chosen.
    """
    found = latest_square_off(market_calendar(), ist_day(market_now(clock)), brokers_of(client))
    if found is None or found[0] >= LATEST_SQUARE_OFF:
        return LATEST_SQUARE_OFF, ""
    return found[0], f": {found[1]}"


def _amount(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        amount = to_decimal(value)
    except ValueError:
        raise ValueError(f"must be an amount in rupees, was {value!r}") from None
    if not 0 < amount <= LARGEST_AMOUNT:
        raise ValueError(f"must be above zero and at most {LARGEST_AMOUNT:,} rupees, was {value}")
    if amount % MONEY_STEP:
        raise ValueError(f"must be in whole paise, was {value}")
    return amount


def _count(value: Any) -> int | None:
    if value in (None, ""):
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise ValueError(f"must be a whole number from 1 to 1,000,000, was {value!r}")
    return int(text)


def _percent(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        percent = to_decimal(value)
    except ValueError:
        raise ValueError(f"must be a percentage, was {value!r}") from None
    if not 0 < percent < 100 or percent % MONEY_STEP:
        raise ValueError(f"must be above 0 and below 100, with two decimals at most, was {value}")
    return percent


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"must be a time like 15:15, was {value!r}") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, was {value!r}")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "daily_loss_limit": _amount,
    "daily_profit_limit": _amount,
    "max_order_value": _amount,
    "max_order_quantity": _count,
    "price_collar_percent": _percent,
    "disaster_stop_percent": _percent,
    "max_open_positions": _count,
    "max_trades_per_day": _count,
    "max_entries_per_ladder": _count,
    "square_off_at": _time,
    "no_new_entry_after": _time,
    "squares_off_on_kill": _flag,
}
