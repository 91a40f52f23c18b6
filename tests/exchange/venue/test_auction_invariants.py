"""Whatever accounts send into an auction: one price, no limit broken, no more than the others offer, the same twice."""

from dataclasses import replace
from datetime import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.fakes import DAY, INFY, Desk, Times, limit, order, quote_of, scaled
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.exchange.market.prints import Print
from trading.exchange.venue.rules import OrderRequest

USERS = ("AB1001", "AB1002", "AB1003")
sides, quantities = st.sampled_from(Side), st.integers(1, 400)
limits = st.builds(limit, sides, quantities, st.integers(1490, 1530))
wishes = st.lists(st.tuples(st.sampled_from(USERS), limits | st.builds(order, sides, quantities)), max_size=12)


def morning(wishes: list[tuple[str, OrderRequest]], volume: int) -> Desk:
    """Send everything at 09:02 and open at 1510."""
    desk = Desk(times=Times(time(9, 2)))
    for place, (user_id, request) in enumerate(wishes):
        desk.venue.books.accounts[user_id].cash = scaled(100_000_000)
        desk.place(replace(request, tag=f"T{place:02}"), user_id)
    desk.venue.match_pending()
    at = at_ist(DAY, time(9, 11))
    desk.market.prints[INFY.token] = [Print(scaled(1510), volume, int(at.timestamp() * 1000))]
    desk.times.go_to(time(9, 11))
    desk.tick(quote_of(INFY, 1510))
    return desk


@settings(max_examples=60, deadline=None)
@given(wishes, st.integers(1, 3000))
def test_an_opening_keeps_its_promises(wishes: list[tuple[str, OrderRequest]], volume: int) -> None:
    desk = morning(wishes, volume)

    price = scaled(1510)
    units = dict.fromkeys(Side, 0)
    for one in desk.venue.books.orders.values():
        assert one.filled_value == one.filled * price
        assert 0 <= one.filled <= one.terms.quantity
        assert one.status == ("COMPLETE" if one.filled == one.terms.quantity else "OPEN")
        assert not (one.is_live and one.terms.at_market)
        if one.filled:
            assert (price - one.terms.price) * one.side.sign <= 0 or one.terms.percent is not None
        units[one.side] += one.filled
    mine = {side: sum(request.quantity for _, request in wishes if request.side is side) for side in Side}
    for side in Side:
        assert units[side] <= volume * 2 + mine[side.opposite]
    for account in desk.venue.books.accounts.values():
        trades = [(trade.side.sign * trade.quantity, trade.price) for trade in account.trades]
        assert sum(quantity for quantity, _ in trades) == account.net_quantity(INFY.token, "MIS")
        assert {at for _, at in trades} <= {price}


@settings(max_examples=20, deadline=None)
@given(wishes, st.integers(1, 3000))
def test_the_order_of_arrival_of_one_batch_decides_nothing(wishes: list[tuple[str, OrderRequest]], volume: int) -> None:
    tagged = [(user_id, replace(request, tag=f"T{place:02}")) for place, (user_id, request) in enumerate(wishes)]
    first, second = Desk(times=Times(time(9, 2))), Desk(times=Times(time(9, 2)))

    for desk, batch in ((first, tagged), (second, tagged[::-1])):
        for user_id, request in batch:
            desk.place(request, user_id)
        desk.venue.match_pending()
        at = at_ist(DAY, time(9, 11))
        desk.market.prints[INFY.token] = [Print(scaled(1510), volume, int(at.timestamp() * 1000))]
        desk.times.go_to(time(9, 11))
        desk.tick(quote_of(INFY, 1510))

    assert first.venue.ledger_hash() == second.venue.ledger_hash()
