"""Live prices for the pages."""

from collections.abc import Mapping
from typing import Any

from tests.marketdata.made import INFY, NIFTY, NINE_FIFTEEN, SBIN, tick
from trading.domain.ticks import Tick
from trading.marketdata.quotes import QuoteBoard, change_percent


class Heard:
    """A publisher that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[int | None, str, Mapping[str, Any]]] = []

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        self.messages.append((client_id, kind, data))


def test_only_the_newest_price_of_what_moved_is_sent() -> None:
    heard = Heard()
    board = QuoteBoard(heard)
    board.rename({INFY: "NSE:INFY", SBIN: "NSE:SBIN"})

    board.take([tick(ltp=15_600_500), tick(ltp=15_635_500), tick(NIFTY)])
    board.send()
    board.send()

    assert heard.messages == [
        (
            None,
            "quote",
            {
                "instrument": "NSE:INFY",
                "ltp": "1563.55",
                "open": "1560.00",
                "high": "1570.00",
                "low": "1550.00",
                "close": "1560.10",
                "change_percent": "0.22",
                "volume": 1200,
                "at_ms": NINE_FIFTEEN * 1000,
            },
        )
    ]


def test_the_change_is_since_yesterdays_close_and_signed() -> None:
    def moved(ltp: int, close: int) -> Tick:
        return tick(ltp=ltp)._replace(close=close)

    assert change_percent(moved(9_900_000, 10_000_000)) == "-1.00"
    assert change_percent(moved(10_000_000, 10_000_000)) == "0.00"
    assert change_percent(moved(9_999_999, 10_000_000)) == "0.00"
    assert change_percent(moved(10_000_000, 0)) is None
