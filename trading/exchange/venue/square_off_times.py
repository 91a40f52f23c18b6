"""When the broker closes intraday positions today: the dated rows, or what the control port wished instead."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from trading.domain.broker_square_off import SquareOffRow, find_row
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.timezone import at_ist, to_ist
from trading.exchange.venue.sessions import Sessions
from trading.exchange.venue.shelf import Shelf

BROKER: Final = "zerodha"
PRODUCTS: Final = ("MIS", "CO")
WISH: Final = "wish"
CLASSES: Final = (InstrumentClass.EQUITY_CAS, InstrumentClass.EQUITY, InstrumentClass.DERIVATIVE)


class SquareOffTimes:
    """Answers for one exchange. The control port's wish is on disk (`shelf`) and holds until another one."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.shelf: Shelf[dict[str, Any]] = Shelf("square_off", dict, dict)
        self._known: dict[tuple[InstrumentClass, date], datetime | None] = {}

    def row(self, instrument_class: InstrumentClass, day: date) -> SquareOffRow | None:
        """Give the broker's row in force."""
        return find_row(BROKER, instrument_class, day)

    def moment(self, instrument_class: InstrumentClass, day: date) -> datetime | None:
        """Give when positions of a class are closed on a day; None when they are not."""
        key = (instrument_class, day)
        if key not in self._known:
            self._known[key] = self._moment(*key)
        return self._known[key]

    def _moment(self, instrument_class: InstrumentClass, day: date) -> datetime | None:
        hours, row = self._sessions.hours(instrument_class, day), self.row(instrument_class, day)
        if hours is None or row is None or not self._wish["enabled"]:
            return None
        wished = self._wish["at"].get(instrument_class.value)
        return at_ist(day, time.fromisoformat(wished)) if wished else row.moment(hours)

    def moments(self, day: date) -> set[datetime]:
        """Give every moment of a day at which a class is squared off."""
        return {moment for each in CLASSES if (moment := self.moment(each, day)) is not None}

    def is_over(self, instrument: Instrument, now: datetime) -> bool:
        """Say whether intraday orders are taken no more."""
        moment = self.moment(instrument.instrument_class, to_ist(now).date())
        return moment is not None and moment <= now

    def set(self, wish: Mapping[str, Any]) -> None:
        """Take `enabled` (true, false) and `at` (class: HH:MM:SS of market time), all or none. Raises ValueError."""
        unknown = sorted(set(wish) - {"enabled", "at"})
        if unknown:
            raise ValueError(f"square-off must be enabled or at, was {unknown[0]!r}")
        enabled = wish.get("enabled", self._wish["enabled"])
        if not isinstance(enabled, bool):
            raise ValueError(f"enabled must be true or false, was {enabled!r}")
        self.shelf.put(WISH, {"enabled": enabled, "at": self._wish["at"] | _moments(wish.get("at", {}))})
        self._known.clear()

    def report(self, day: date) -> dict[str, Any]:
        """Give `enabled` and `at`: HH:MM:SS by class, null where nothing is squared off."""
        moments = {each.value: self.moment(each, day) for each in CLASSES}
        shown = {name: None if moment is None else f"{moment:%H:%M:%S}" for name, moment in moments.items()}
        return {"enabled": self._wish["enabled"], "at": shown}

    @property
    def _wish(self) -> dict[str, Any]:
        return self.shelf.get(WISH) or {"enabled": True, "at": {}}


def _moments(wish: object) -> dict[str, str]:
    names = [each.value for each in CLASSES]
    if not isinstance(wish, Mapping) or not set(wish) <= set(names):
        raise ValueError(f"at must be times by class ({', '.join(names)}), was {json.dumps(wish, default=str)}")
    try:
        return {str(name): time.fromisoformat(str(moment)).isoformat() for name, moment in wish.items()}
    except ValueError as error:
        raise ValueError(f"at must be HH:MM:SS by class, was {json.dumps(wish, default=str)}") from error
