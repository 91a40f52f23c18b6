"""What was left out of the feed today, by reason and instrument, for the status page: a sick feed is seen there."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from trading.domain.timezone import to_ist
from trading.engine.house import House
from trading.engine.ladder_book import BadTick
from trading.engine.tools import Tools

TELLS_EVERY_S = 5.0
WORST_TOLD = 5
SICK_FROM, SICK_SHARE = 20, 0.05
"""So many odd packets of one instrument, and such a share of all of its, are a sick feed."""
SICK_WITHIN = timedelta(minutes=5)
"""Of market time, and up to twice as long: by the whole day, a feed that turns bad in the afternoon would look well."""


class FeedHealth:
    """Counts since this life of the engine began, within the day."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._since = self._marked_at = tools.now()
        self._mark: dict[str, tuple[int, int]] = {}
        self._older: dict[str, tuple[int, int]] = {}

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            self._tools.deps.keep_feed_health(self.report())
            await self._tools.clock.sleep(TELLS_EVERY_S)

    def report(self) -> dict[str, Any]:
        """Give {day, since, taken, waiting, sick, reasons, worst}, the instruments with the most that is odd first.

        What is odd is what a healthy feed does not bring: brokers send the same packet again when only the depth of
        the book moved. `sick` counts the instruments of which much was odd lately.
        """
        rows = [self._row(instrument.key, instrument.token) for instrument in self._house.instruments.all()]
        self._move_mark(rows)
        worst = sorted(
            (row for row in rows if row["count"]), key=lambda row: (not row["sick"], -row["odd"], -row["count"])
        )
        return {
            "day": self._tools.day.isoformat(),
            "since": f"{to_ist(self._since):%H:%M:%S}",
            "taken": sum(row["taken"] for row in rows),
            "waiting": sum(row["waits"] for row in rows),
            "sick": sum(row["sick"] for row in rows),
            "reasons": _told(self._house.book.rejected),
            "worst": worst[:WORST_TOLD],
        }

    def _row(self, key: str, token: int) -> dict[str, Any]:
        book = self._house.book
        rejected = book.rejected_of(token)
        taken, odd = book.count(token), rejected.total() - rejected[BadTick.DUPLICATE]
        return {
            "instrument": key,
            "taken": taken,
            "waits": book.waits(token),
            "count": rejected.total(),
            "odd": odd,
            "sick": self._is_sick(key, taken, odd),
            "reasons": _told(rejected),
        }

    def _is_sick(self, key: str, taken: int, odd: int) -> bool:
        taken_before, odd_before = self._older.get(key, (0, 0))
        lately = odd - odd_before
        return lately >= SICK_FROM and lately > SICK_SHARE * (taken - taken_before + lately)

    def _move_mark(self, rows: Iterable[dict[str, Any]]) -> None:
        if self._tools.now() - self._marked_at >= SICK_WITHIN:
            self._older, self._mark = self._mark, {row["instrument"]: (row["taken"], row["odd"]) for row in rows}
            self._marked_at = self._tools.now()


def _told(counts: "Counter[BadTick]") -> dict[str, int]:
    return {why.name: counts[why] for why in BadTick if counts[why]}
