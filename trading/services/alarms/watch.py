"""Parts that fell silent, judged by those who still live: by how long each observer saw a counter stand still."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from trading.models import Heartbeat
from trading.ports import Clock
from trading.services.events import market_now
from trading.stores import alarms, heartbeats

logger = logging.getLogger(__name__)

JUDGED_UNSEEN_AFTER_S = 90.0
"""A part that this observer never saw alive is judged only after so long: the others may still be starting."""
OTHERS_SAID_SO = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PartRule:
    """After how many seconds of silence which alarm is raised, and what the part is called."""

    code: str
    silent_s: float
    words: str


PARTS: Mapping[str, PartRule] = {
    "engine": PartRule("ENGINE_SILENT", 5.0, "the engine"),
    "standby": PartRule("STANDBY_SILENT", 15.0, "the standby"),
    "ticker": PartRule("TICKER_SILENT", 20.0, "the ticker"),
    "beat": PartRule("BEAT_SILENT", 30.0, "the scheduler (beat)"),
    "worker": PartRule("WORKER_SILENT", 100.0, "the worker: no test task came through"),
    "web": PartRule("WEB_SILENT", 15.0, "the web process"),
}


@dataclass(frozen=True, slots=True)
class SeenPart:
    """A part as this process sees it. `age_s` is wire seconds since its counter was seen to move, None if never."""

    part: str
    age_s: float | None
    is_stopped: bool
    is_silent: bool
    detail: str = ""


@dataclass
class _Seen:
    counter: int
    since: float
    has_moved: bool = False
    is_told: bool = False


class PartWatch:
    """One observer. `own` is the part that it runs in."""

    def __init__(self, clock: Clock, own: str = "") -> None:
        self._clock = clock
        self._own = own
        self._seen: dict[str, _Seen] = {}

    def observe(self, rows: Sequence[Heartbeat]) -> list[SeenPart]:
        """Take in the counters as they are now, and give every part."""
        now, found = self._clock.monotonic(), []
        for row in rows:
            seen = self._seen.setdefault(row.part, _Seen(row.counter, now))
            if seen.counter != row.counter:
                self._seen[row.part] = seen = _Seen(row.counter, now, has_moved=True)
            if row.is_stopped:
                seen.since, seen.has_moved = now, False
            still_s = now - seen.since
            rule = PARTS.get(row.part)
            limit = rule.silent_s if rule and seen.has_moved else JUDGED_UNSEEN_AFTER_S
            is_silent = not row.is_stopped and still_s >= limit
            age = still_s if seen.has_moved else None
            found.append(SeenPart(row.part, age, row.is_stopped, is_silent, row.detail))
        return found

    def look(self) -> list[str]:
        """Raise an alarm for every part that fell silent, once a silence; gives their names."""
        told = []
        for part in self.observe(heartbeats.all_beats()):
            seen, rule = self._seen[part.part], PARTS.get(part.part)
            if rule is None or part.part == self._own or not part.is_silent or seen.is_told:
                continue
            seen.is_told = True
            text = f"{rule.words} gave no sign of life for {self._clock.monotonic() - seen.since:.0f} s"
            at, wall = market_now(self._clock), self._clock.wall()
            alarms.record(None, rule.code, text, at=at, wall=wall, unless_within=OTHERS_SAID_SO)
            logger.error("%s", text)
            told.append(part.part)
        return told
