"""How many orders each app asked for on the present day: the broker's daily limit must outlive a restart."""

from datetime import date

from trading.exchange.venue.shelf import Shelf


class DayCounts:
    """One number an API key. `shelf` is written with the ledger's next transaction."""

    def __init__(self) -> None:
        self.shelf: Shelf[tuple[str, int]] = Shelf("order_counts", list, lambda kept: (kept[0], kept[1]))

    def of(self, api_key: str, day: date) -> int:
        """Give the count of a day; a row of an earlier day counts nothing."""
        kept = self.shelf.get(api_key)
        return kept[1] if kept is not None and kept[0] == day.isoformat() else 0

    def put(self, api_key: str, day: date, count: int) -> None:
        """Set the count of a day."""
        self.shelf.put(api_key, (day.isoformat(), count))
