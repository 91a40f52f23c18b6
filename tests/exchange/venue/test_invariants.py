"""Whatever clients do, the books stay consistent, and a restart finds the same books."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.exchange.fakes import INFY, SBIN, Desk, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue import margin
from trading.exchange.venue.orders import FINAL
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

SIDES = st.sampled_from([Side.BUY, Side.SELL])
UNITS = st.sampled_from([1, 10, 25, 400, 2500])
PRICES = st.integers(1450, 1550)
USERS = st.sampled_from(["AB1001", "AB1002"])
PRODUCTS = st.sampled_from(["MIS", "CNC"])

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("market"), USERS, SIDES, UNITS, PRODUCTS),
        st.tuples(st.just("limit"), USERS, SIDES, UNITS, PRICES),
        st.tuples(st.just("stop"), USERS, SIDES, UNITS, PRICES),
        st.tuples(st.just("iceberg"), USERS, SIDES, PRICES),
        st.tuples(st.just("cover"), USERS, SIDES, PRICES),
        st.tuples(st.just("minutes"), USERS, SIDES, UNITS, PRICES),
        st.tuples(st.just("later"), st.integers(1, 90)),
        st.tuples(st.just("exit"), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("modify"), st.integers(0, 20), UNITS, PRICES),
        st.tuples(st.just("tick"), PRICES, UNITS),
        st.tuples(st.just("match")),
    ),
    max_size=40,
)


def do(desk: Desk, step: tuple[object, ...], number: int) -> None:
    """Do one step; a refusal is as good as anything."""
    word, *rest = step
    tag = f"T{number}"
    try:
        if word == "market":
            user, side, units, product = rest
            desk.place(order(side, units, product=product, tag=tag), user)  # type: ignore[arg-type]
        elif word == "limit":
            user, side, units, price = rest
            desk.place(limit(side, units, price, tag=tag), user)  # type: ignore[arg-type]
        elif word == "stop":
            user, side, units, price = rest
            stop = limit(side, units, price, order_type="SL", trigger_price=Decimal(str(price)), tag=tag)  # type: ignore[arg-type]
            desk.place(stop, user)  # type: ignore[arg-type]
        elif word == "tick":
            price, units = rest
            level = ((price, units),)
            desk.tick(quote_of(INFY, price, asks=level, bids=level))  # type: ignore[arg-type]
        elif word == "match":
            desk.venue.match_pending()
        elif word == "later":
            desk.times.market += timedelta(seconds=int(str(rest[0])))
        elif word in ("iceberg", "cover", "minutes"):
            desk.place(special(word, rest[1:], tag), str(rest[0]))
        else:
            change(desk, word, rest)
    except Refusal:
        return


def special(word: object, rest: list[object], tag: str) -> OrderRequest:
    """Make an order of another kind."""
    if word == "iceberg":
        side, price = rest
        words = {"variety": "iceberg", "iceberg_legs": 3, "iceberg_quantity": 40, "tag": tag}
        return limit(side, 100, price, **words)  # type: ignore[arg-type]
    if word == "cover":
        side, trigger = rest
        return order(side, 25, variety="co", trigger_price=Decimal(str(trigger)), tag=tag)  # type: ignore[arg-type]
    side, units, price = rest
    return limit(side, units, price, validity="TTL", validity_ttl=1, tag=tag)  # type: ignore[arg-type]


def change(desk: Desk, word: object, rest: list[object]) -> None:
    orders = list(desk.venue.books.orders.values())
    if not orders:
        return
    chosen = orders[rest[0] % len(orders)]  # type: ignore[operator]
    if word in ("cancel", "exit"):
        desk.venue.cancel(chosen, parent_order_id=chosen.kind.parent_order_id or "" if word == "exit" else "")
        return
    kind, trigger = chosen.terms.order_type, Decimal(chosen.terms.trigger_price) / 10_000
    wish = limit(chosen.side, rest[1], rest[2], order_type=kind, trigger_price=trigger)  # type: ignore[arg-type]
    desk.venue.modify(chosen, wish)


def check(desk: Desk) -> None:
    for account in desk.venue.books.accounts.values():
        for (token, product), position in account.positions.items():
            fills = [trade for trade in account.trades if (trade.token, trade.product) == (token, product)]
            assert position.net_quantity == sum(trade.side.sign * trade.quantity for trade in fills)
            assert position.open_value == sum(abs(quantity) * price for quantity, price in position.lots)
        for placed in account.orders.values():
            fills = [trade for trade in account.trades if trade.order_id == placed.order_id]
            assert placed.filled == sum(trade.quantity for trade in fills) <= placed.terms.quantity
            assert placed.filled_value == sum(trade.quantity * trade.price for trade in fills)
            filled = [line.filled for line in placed.history]
            assert filled == sorted(filled)
            assert not any(line.status in FINAL for line in placed.history[:-1])
            assert placed.is_live == (placed.order_id in account.live)
            if placed.status == "CANCELLED":
                assert placed.filled + placed.cancelled == placed.terms.quantity
            stops = [one for one in account.orders.values() if one.kind.parent_order_id == placed.order_id]
            if placed.kind.variety == "co" and placed.kind.parent_order_id is None:
                assert [one.terms.quantity for one in stops] == ([placed.filled] if placed.filled else [])
        in_book = [one for one in account.live.values() if one.is_in_book]
        assert account.blocked.total() == sum(margin.order_margin(one) for one in in_book)
        assert account.closing.total() == sum(one.remaining - min(one.opening, one.remaining) for one in in_book)


A_STOP_THAT_GROWS: list[tuple[object, ...]] = [
    ("tick", 1500, 10),
    ("cover", "AB1001", Side.BUY, 1470),
    ("match",),
    ("match",),
    ("tick", 1500, 10),
    ("exit", 1),
    ("match",),
]
"""Random steps hardly ever come to it."""


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example(A_STOP_THAT_GROWS)
def test_the_books_stay_consistent_and_survive_a_restart(steps: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.market.put(quote_of(SBIN, 1500))
        for number, step in enumerate(steps):
            do(desk, step, number)
            check(desk)
        desk.venue.close()

        reopened = Desk(Path(folder))

        check(reopened)
        assert reopened.venue.ledger_truth() == desk.venue.ledger_truth()
        assert reopened.venue.books.pending.keys() == desk.venue.books.pending.keys()
        reopened.venue.close()
