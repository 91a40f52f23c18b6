"""Which day an exchange plays: the kept one, the one after a finished one, or a first one."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trading.domain.calendar import ONE_DAY, CalendarError, MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.exchange.market import folder_days
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.state import KeptState

DEFAULT_SEED = 810
REMEDY = "start with --fresh to begin anew"


@dataclass(frozen=True, slots=True)
class DayWish:
    """What a start asks for; None means: as it was kept, or the default."""

    day: date | None
    seed: int | None
    bars: Path | None


@dataclass(frozen=True, slots=True)
class DayChoice:
    """The day to play. `goes_on` is true when a kept day continues where its clock stood."""

    day: date
    seed: int
    bars: Path | None
    goes_on: bool


def choose_day(kept: KeptState | None, wish: DayWish, *, calendar: MarketCalendar, today: date) -> DayChoice:
    """Decide which day is played; `today` is the wall's date. Raises ValueError with what would be right.

    A muhurat day has a session and can be wished. Another day, seed or folder than the kept ledger plays is refused
    with the remedy `--fresh`.
    """
    choice = _new(wish, calendar, today) if kept is None else _kept(kept, wish, calendar)
    if not (calendar.is_trading_day(choice.day) or calendar.find_session(choice.day, InstrumentClass.EQUITY)):
        raise ValueError(f"day must be a trading day: {calendar.day_kind(choice.day).reason}")
    return choice


def _new(wish: DayWish, calendar: MarketCalendar, today: date) -> DayChoice:
    seed = DEFAULT_SEED if wish.seed is None else wish.seed
    day = wish.day or _first_day(wish.bars, calendar, today)
    return DayChoice(day, seed, wish.bars, goes_on=False)


def _kept(kept: KeptState, wish: DayWish, calendar: MarketCalendar) -> DayChoice:
    if kept.is_live:
        raise ValueError(f"the kept ledger was traded at live prices; start with --live, or {REMEDY}")
    bars = Path(kept.bars) if kept.bars else None
    if wish.bars is not None and wish.bars != bars:
        raise _refusal("bars", str(wish.bars), kept.bars or "the generated market")
    if wish.seed is not None and wish.seed != kept.seed:
        raise _refusal("seed", str(wish.seed), str(kept.seed))
    if not kept.is_finished:
        if wish.day not in (None, kept.day):
            raise _refusal("day", str(wish.day), str(kept.day))
        return DayChoice(kept.day, kept.seed, bars, goes_on=True)
    following = _day_after(kept.day, bars, calendar)
    if wish.day not in (None, following):
        raise _refusal("day", str(wish.day), f"{kept.day}, finished, and {following} is next")
    return DayChoice(following, kept.seed, bars, goes_on=False)


def _refusal(word: str, wished: str, kept: str) -> ValueError:
    return ValueError(f"the kept ledger plays {word} {kept}, not {wished}; {REMEDY}")


def _first_day(bars: Path | None, calendar: MarketCalendar, today: date) -> date:
    if bars is not None:
        return folder_days(bars, CalendarHours(calendar))[0]
    return next_known_day(calendar, today)


def _day_after(day: date, bars: Path | None, calendar: MarketCalendar) -> date:
    if bars is not None:
        later = [each for each in folder_days(bars, CalendarHours(calendar)) if each > day]
        if not later:
            raise ValueError(f"{day} is the last day in {bars}; {REMEDY}")
        return later[0]
    try:
        return calendar.next_trading_day(day)
    except CalendarError as error:
        raise ValueError(f"{day} is the last trading day that the calendar knows; {REMEDY}") from error


def next_known_day(calendar: MarketCalendar, today: date) -> date:
    """Give the next trading day, or the calendar's last one where its years end."""
    try:
        return calendar.next_trading_day(today)
    except CalendarError:
        return calendar.previous_trading_day(calendar.last_known_day + ONE_DAY)
