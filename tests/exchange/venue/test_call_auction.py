"""One price for everybody: what a call auction's matching promises, whatever the orders."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from trading.domain.auctions import AuctionKind, CallAuction
from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import Side
from trading.exchange.market.prints import Print
from trading.exchange.venue.call_auction import Interest, equilibrium, fills_at
from trading.exchange.venue.call_book import others
from trading.exchange.venue.sessions import Sessions

BUY, SELL = Side.BUY, Side.SELL
SESSIONS = Sessions(MarketCalendar.load(), seed=1)
DAY = date(2026, 11, 23)

prices = st.integers(90, 110)
interests = st.lists(
    st.builds(
        Interest,
        side=st.sampled_from(Side),
        quantity=st.integers(1, 500),
        limit=st.none() | prices,
        since_ms=st.integers(0, 5),
        rank=st.tuples(st.sampled_from("abc")),
        key=st.just("x"),
    ),
    max_size=12,
)


def tradable(every: list[Interest], price: int) -> int:
    return min(sum(one.quantity for one in every if one.side is side and one.takes(price)) for side in Side)


def imbalance(every: list[Interest], price: int) -> int:
    buys, sells = (sum(one.quantity for one in every if one.side is side and one.takes(price)) for side in Side)
    return abs(buys - sells)


def opening() -> CallAuction:
    return SESSIONS.auctions(InstrumentClass.EQUITY_CAS, DAY)[0]


@given(interests, prices)
def test_no_other_price_would_trade_more(every: list[Interest], reference: int) -> None:
    price = equilibrium(every, reference)

    best = max(tradable(every, other) for other in range(80, 121))
    assert (tradable(every, price) if price is not None else 0) == best


@given(interests, prices)
def test_no_limit_with_the_same_volume_is_better_balanced_or_nearer(every: list[Interest], reference: int) -> None:
    price = equilibrium(every, reference)
    limits = {one.limit for one in every if one.limit is not None}

    if price is None or price not in limits:
        return
    most = tradable(every, price)
    for other in (limit for limit in limits if tradable(every, limit) == most):
        chosen = (imbalance(every, price), abs(price - reference))
        assert chosen <= (imbalance(every, other), abs(other - reference))


@given(interests, prices, st.booleans())
def test_both_sides_trade_the_same_units_at_one_price_that_nobody_s_limit_forbids(
    every: list[Interest], reference: int, market_first: bool
) -> None:
    price = equilibrium(every, reference)
    if price is None:
        return

    fills = fills_at(every, price, market_first=market_first)

    units = {side: sum(quantity for one, quantity in fills if one.side is side) for side in Side}
    assert units[BUY] == units[SELL] == tradable(every, price) > 0
    for one, quantity in fills:
        assert 0 < quantity <= one.quantity
        assert one.takes(price)


@given(interests, prices, st.booleans())
def test_nobody_is_passed_over_by_a_worse_limit_of_the_same_side(
    every: list[Interest], reference: int, market_first: bool
) -> None:
    price = equilibrium(every, reference)
    if price is None:
        return
    numbered = [one._replace(key=str(place)) for place, one in enumerate(every)]

    taken = {one.key: quantity for one, quantity in fills_at(numbered, price, market_first=market_first)}

    for one in numbered:
        for other in numbered:
            if one.side is other.side and None not in (one.limit, other.limit):
                assert one.limit is not None
                assert other.limit is not None
                is_better = (one.limit - other.limit) * one.side.sign > 0
                assert not (is_better and other.key in taken and taken.get(one.key, 0) < one.quantity)


@given(interests, prices)
def test_the_order_of_arrival_in_the_list_decides_nothing(every: list[Interest], reference: int) -> None:
    price = equilibrium(every, reference)

    assert equilibrium(reversed(every), reference) == price


def test_a_reference_in_the_middle_of_two_equal_prices_is_the_price_itself() -> None:
    every = [Interest(BUY, 10, 102, 0), Interest(SELL, 10, 98, 0)]

    assert equilibrium(every, 100) == 100
    assert equilibrium(every, 99) == 98
    assert equilibrium(every, 200) == 102


def test_market_orders_alone_meet_at_the_reference_and_one_side_alone_at_no_price() -> None:
    assert equilibrium([Interest(BUY, 10, None, 0), Interest(SELL, 4, None, 0)], 100) == 100
    assert equilibrium([Interest(BUY, 10, None, 0), Interest(BUY, 10, 105, 0)], 100) is None


def test_market_orders_are_served_first_or_last_as_the_days_rule_says() -> None:
    every = [
        Interest(BUY, 10, None, 5, key="market"),
        Interest(BUY, 10, 105, 0, key="limit"),
        Interest(SELL, 10, 95, 0),
    ]

    first = [one.key for one, _ in fills_at(every, 100, market_first=True)]
    last = [one.key for one, _ in fills_at(every, 100, market_first=False)]

    assert (first, last) == (["market", ""], ["limit", ""])


@given(st.integers(1, 2_000_000), st.integers(100, 9_000), st.integers(1, 10_000), st.integers(1, 1000))
def test_the_made_up_book_alone_trades_the_print_s_units_at_its_price(
    quantity: int, steps: int, reference: int, token: int
) -> None:
    step = 500
    printed = Print(steps * step, quantity, 0)

    book = others(token, printed, opening(), step)

    assert equilibrium(book, reference * step) == printed.price
    assert sum(units for one, units in fills_at(book, printed.price, market_first=True) if one.side is BUY) == quantity
    assert book == others(token, printed, opening(), step)


def test_one_side_of_the_made_up_book_wants_more_than_was_matched_now_this_one_now_the_other() -> None:
    printed = Print(5_000_000, 10_000, 0)
    books = [others(token, printed, opening(), 500) for token in range(40)]

    def wanted(book: list[Interest], side: Side) -> int:
        return sum(one.quantity for one in book if one.side is side and one.takes(printed.price))

    more = {tuple(side.value for side in Side if wanted(book, side) > printed.quantity) for book in books}

    assert {("BUY",), ("SELL",)} <= more <= {("BUY",), ("SELL",), ()}


def test_the_day_s_auctions_are_its_rows() -> None:
    kinds = {
        day: [(one.kind, f"{one.entry_end:%H:%M}", f"{one.over:%H:%M}") for one in SESSIONS.auctions(each, day)]
        for day, each in (
            (date(2026, 7, 31), InstrumentClass.EQUITY_CAS),
            (DAY, InstrumentClass.EQUITY_CAS),
            (date(2026, 12, 7), InstrumentClass.EQUITY_CAS),
            (date(2024, 5, 18), InstrumentClass.EQUITY),
        )
    }

    opens, closes = AuctionKind.OPENING, AuctionKind.CLOSING
    assert kinds == {
        date(2026, 7, 31): [(opens, "09:08", "09:15")],
        DAY: [(opens, "09:10", "09:15"), (closes, "15:30", "15:35")],
        date(2026, 12, 7): [(opens, "09:10", "09:15"), (closes, "15:40", "15:42")],
        date(2024, 5, 18): [(opens, "09:08", "09:15"), (opens, "11:23", "11:30")],
    }
    assert SESSIONS.auctions(InstrumentClass.DERIVATIVE, DAY) == ()


def test_chance_ends_the_entry_in_the_last_two_minutes_by_day_and_seed() -> None:
    ends = set()
    for seed in range(60):
        sessions = Sessions(MarketCalendar.load(), seed)
        for auction in sessions.auctions(InstrumentClass.EQUITY_CAS, DAY):
            end = sessions.entry_ends_at(auction)
            assert 0 <= (auction.entry_end - end).total_seconds() < 120
            ends.add(end)

    assert len(ends) > 60
