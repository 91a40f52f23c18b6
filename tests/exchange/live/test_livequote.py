"""The book behind five real levels."""

from decimal import Decimal

from tests.exchange.fakes import INFY, quote_of, scaled
from tests.exchange.walked_book import Book
from trading.domain.orders import Side
from trading.exchange.kite import packets
from trading.exchange.kite.incoming import read_quote
from trading.exchange.market.livequote import LiveQuote

FIVE = tuple((str(Decimal("1500.05") + n * Decimal("0.05")), 100) for n in range(5))


def live_quote(asks: tuple[tuple[str, int], ...], *, in_all: int | None = None) -> LiveQuote:
    """Read a quote back from the packet of these offers; `in_all` is what the packet says of all of them."""
    packet = packets.packet(quote_of(INFY, 1500, asks=asks, bids=(("1500", 10),)), packets.FULL)
    if in_all is not None:
        packet = packet[:24] + in_all.to_bytes(4, "big") + packet[28:]
    return read_quote(packet, INFY, 7)


def test_behind_five_levels_the_rest_of_the_brokers_total_waits_a_step_apart() -> None:
    quote = live_quote(FIVE, in_all=750)

    assert [(level.price, level.quantity) for level in quote.levels(Side.SELL)][5:] == [
        (scaled("1500.30"), 100),
        (scaled("1500.35"), 100),
        (scaled("1500.40"), 50),
    ]


def test_a_side_with_fewer_than_five_levels_ends_there() -> None:
    quote = live_quote(FIVE[:3], in_all=10_000)

    assert Book(quote).walk(Side.BUY, 1000, None) == [(scaled(price), 100) for price, _ in FIVE[:3]]


def test_without_its_book_a_quote_keeps_prices_and_time_and_offers_nothing() -> None:
    quote = live_quote(FIVE)
    closed = quote.without_book(8)

    assert (closed.ltp, closed.at_ms, closed.close) == (quote.ltp, quote.at_ms, quote.close)
    assert Book(closed).walk(Side.BUY, 1, None) == Book(closed).walk(Side.SELL, 1, None) == []
    assert (closed.buy_quantity, closed.sell_quantity, closed.serial) == (0, 0, 8)
