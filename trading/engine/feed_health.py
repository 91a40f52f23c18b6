"""What was left out of the feed today, by reason and instrument, for the status page: a sick feed is seen there."""

from typing import Any

from trading.domain.timezone import to_ist
from trading.engine.house import House
from trading.engine.ladder_book import BadTick
from trading.engine.tools import Tools

TELLS_EVERY_S = 5.0
WORST_TOLD = 5


class FeedHealth:
    """Counts since this life of the engine began, within the day."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._since = tools.now()

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            self._tools.deps.keep_feed_health(self.report())
            await self._tools.clock.sleep(TELLS_EVERY_S)

    def report(self) -> dict[str, Any]:
        """Give {day, since, taken, waiting, reasons, worst}; `worst` are the instruments with the most that is odd."""
        rows = [self._row(instrument.key, instrument.token) for instrument in self._house.instruments.all()]
        worst = sorted((row for row in rows if row["count"]), key=lambda row: (-_odd(row), -row["count"]))
        return {
            "day": self._tools.day.isoformat(),
            "since": f"{to_ist(self._since):%H:%M:%S}",
            "taken": sum(row["taken"] for row in rows),
            "waiting": sum(row["waits"] for row in rows),
            "reasons": _told(self._house.book.rejected),
            "worst": worst[:WORST_TOLD],
        }

    def _row(self, key: str, token: int) -> dict[str, Any]:
        book = self._house.book
        rejected = book.rejected_of(token)
        return {
            "instrument": key,
            "taken": book.count(token),
            "waits": book.waits(token),
            "count": rejected.total(),
            "reasons": _told(rejected),
        }


def _odd(row: dict[str, Any]) -> int:
    """Count what is not usual: brokers send the same packet again when only the depth of the book moved."""
    return int(row["count"]) - int(row["reasons"].get(BadTick.DUPLICATE.name, 0))


def _told(counts: "dict[BadTick, int]") -> dict[str, int]:
    return {why.name: counts[why] for why in BadTick if counts.get(why)}
