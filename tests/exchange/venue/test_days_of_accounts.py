"""Random days of several accounts in one book: every fill by a second engine, every rupee by a second count."""

from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.fakes import INFY, Desk, limit, order, quote_of, scaled
from tests.exchange.venue.reference import Reference, Waiting
from trading.domain.charges import charges_of, together
from trading.domain.money import from_scaled
from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue, margin
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.floor import batch_key
from trading.exchange.venue.orders import Order, Terms
from trading.exchange.venue.refusals import Refusal

USERS = ("AB1001", "AB1002", "AB1003")
EVENTS = 90
WORDS = ("place",) * 12 + ("match",) * 4 + ("tick",) * 5 + ("modify",) * 3 + ("cancel", "cover", "later")
UNITS = (1, 4, 10, 30, 1, 4, 10, 30, 9000)
"""The last one is more than an account can pay."""
TAGS = ("A", "B", "C", "D")
KINDS = ("limit",) * 6 + ("market", "ioc", "stop", "stop-market", "minutes", "iceberg")


def random_step(dice: Random) -> tuple[Any, ...]:
    """Throw one event of a busy day close around 1500."""
    word = dice.choice(
        ("place",) * 12 + ("match",) * 4 + ("tick",) * 5 + ("modify",) * 3 + ("cancel", "cover", "later")
    )
    user, side, tag = dice.choice(USERS), dice.choice(tuple(Side)), dice.choice(TAGS)
    units, price = dice.choice(UNITS), dice.randint(1496, 1504)
    if word == "place":
        return word, dice.choice(KINDS), user, side, units, price, tag
    if word == "cover":
        return word, user, side, units, tag
    if word == "modify":
        return word, dice.randrange(60), units, price
    if word == "tick":
        bids, asks = ([dice.choice((0, 2, 9, 30)) for _ in range(4)] for _ in range(2))
        ltp = price if dice.random() < 0.2 else dice.randint(1499, 1501)
        return word, ltp, dice.randrange(40), dice.random() < 0.5, bids, asks, dice.randint(1, 3)
    return (word,) if word == "match" else (word, dice.randrange(1, 60))


def book_quote(before: Quote, ltp: int, volume: int, is_bought: bool, bids: list[int], asks: list[int]) -> Quote:
    """Make the next quote: the last price is the best of the side that was hit, a level a rupee."""
    best_ask = ltp if is_bought else ltp + 1
    made = quote_of(
        INFY,
        ltp,
        asks=tuple((best_ask + place, count) for place, count in enumerate(asks) if count),
        bids=tuple((best_ask - 1 - place, count) for place, count in enumerate(bids) if count),
    )
    return replace(made, is_bought=is_bought, volume=before.volume + volume)


class Day:
    """A venue and the reference beside it; `check_fills` after every event."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.desk = Desk(folder)
        first = self.desk.market.put(book_quote(self.desk.market.quote(INFY.token), 1500, 0, True, [9] * 4, [9] * 4))
        self.desk.venue.on_quotes([first])
        self.model = Reference(first)
        self.seen = 0
        self.total: Counter[tuple[str, int]] = Counter()
        """What the reference said until the event before: units by order and price."""

    @property
    def venue(self) -> Venue:
        """The present process."""
        return self.desk.venue

    def kill(self) -> None:
        """Go on with another process over the same files; nothing of the first was closed."""
        self.desk = Desk(self.folder, market=self.desk.market, times=self.desk.times)

    # -- what is done --------------------------------------------------------------------------------

    def do(self, step: tuple[Any, ...]) -> None:
        word, *rest = step
        try:
            getattr(self, word)(*rest)
        except Refusal:
            return

    def place(self, kind: str, user: str, side: Side, count: int, price: int, tag: str) -> None:
        words: dict[str, Any] = {"tag": tag}
        if kind in ("market", "stop-market"):
            stop = {"order_type": "SL-M", "trigger_price": Decimal(price)} if kind == "stop-market" else {}
            self.desk.place(order(side, count, **words | stop), user)
            return
        more: dict[str, dict[str, Any]] = {
            "ioc": {"validity": "IOC"},
            "stop": {"order_type": "SL", "trigger_price": Decimal(price)},
            "minutes": {"validity": "TTL", "validity_ttl": 1},
            "iceberg": {"variety": "iceberg", "iceberg_legs": 2, "iceberg_quantity": 40},
        }
        self.desk.place(limit(side, 80 if kind == "iceberg" else count, price, **words | more.get(kind, {})), user)

    def cover(self, user: str, side: Side, count: int, tag: str) -> None:
        trigger = Decimal(1500 - side.sign * 8)
        self.desk.place(order(side, count, variety="co", trigger_price=trigger, tag=tag), user)

    def chosen(self, number: int) -> Order | None:
        orders = list(self.venue.books.orders.values())
        return orders[number % len(orders)] if orders else None

    def cancel(self, number: int) -> None:
        if (one := self.chosen(number)) is not None:
            self.venue.cancel(one, parent_order_id=one.kind.parent_order_id or "")

    def modify(self, number: int, count: int, price: int) -> None:
        if (one := self.chosen(number)) is not None:
            words = {"order_type": one.terms.order_type, "trigger_price": from_scaled(one.terms.trigger_price)}
            self.venue.modify(one, limit(one.side, count, price, **words))

    def later(self, seconds: int) -> None:
        self.match()
        self.desk.times.market += timedelta(seconds=seconds)

    def match(self) -> None:
        """Match until nothing is pending, the reference after each round: cancels, changes, new orders."""
        while self.venue.has_pending():
            batch = sorted(self.venue.books.pending.values(), key=batch_key)
            asked = [(one, one.wants_cancel, one.wants is not None, one.is_new, one.terms) for one in batch]
            lines = {one.order_id: len(one.history) for one in batch}
            self.venue.match_pending()
            for one, is_cancel, *_ in asked:
                if is_cancel:
                    self.model.remove(one.order_id)
            for one, _, is_change, _, before in asked:
                if is_change and any(line.status == "MODIFIED" for line in one.history[lines[one.order_id] :]):
                    self.change(one, before)
            for one, is_cancel, _, is_new, _ in asked:
                if is_new and not is_cancel and one.status != "REJECTED":
                    self.arrive(one)
            self.check_fills()

    def change(self, one: Order, before: Terms) -> None:
        """Tell the reference of a change that was made: only one to fewer units keeps the place."""
        changed = next(line.terms for line in reversed(one.history) if line.status == "MODIFIED")
        known = self.model.orders.get(one.order_id)
        if changed.quantity < before.quantity and changed._replace(quantity=before.quantity) == before:
            if known is not None:
                known.left -= before.quantity - changed.quantity
            return
        self.model.remove(one.order_id)
        self.arrive(one)

    def arrive(self, one: Order) -> None:
        """Tell the reference of an order that comes into the book, unless it is a stop that waits."""
        if one.terms.order_type == "LIMIT" or one.triggered:
            self.model.come_in(self.as_waiting(one))

    def as_waiting(self, one: Order) -> Waiting:
        age = (one.resting_since_ms, one.tag, one.user_id, one.sequence)
        filled = sum(count for (order_id, _), count in self.total.items() if order_id == one.order_id)
        filled += sum(count for (order_id, _), count in self.model.fills.items() if order_id == one.order_id)
        left, is_ioc = one.terms.quantity - filled, one.terms.validity == "IOC"
        return Waiting(one.order_id, one.user_id, one.side, one.terms.price, left, age, is_ioc)

    def tick(self, ltp: int, volume: int, is_bought: bool, bids: list[int], asks: list[int], on: int) -> None:
        self.match()
        before = self.desk.market.quote(INFY.token)
        quote = replace(book_quote(before, ltp, volume, is_bought, bids, asks), serial=before.serial + on)
        now = self.desk.times.now_ms()
        terms = {one.order_id: one.terms for one in self.venue.books.orders.values()}
        stops = [one for one in self.venue.books.orders.values() if one.status == "TRIGGER PENDING"]
        for one in list(self.venue.books.timed.values()):
            if (one.lapses_ms or now + 1) <= now:
                self.model.remove(one.order_id)
                stops = [stop for stop in stops if stop is not one]
        self.desk.tick(quote)
        self.model.tick(quote)
        due = [one for one in stops if (quote.ltp - one.terms.trigger_price) * one.side.sign >= 0]
        for one in sorted(due, key=lambda one: (-one.side.sign * terms[one.order_id].price, *age_of(one, terms))):
            if one.triggered:
                if one.kind.variety == "co":
                    self.model.remove(one.kind.parent_order_id or "")
                self.arrive(one)
        self.check_fills()

    # -- what is checked -----------------------------------------------------------------------------

    def check_fills(self) -> None:
        trades = [one for account in self.venue.books.accounts.values() for one in account.trades]
        fresh = [one for one in trades if one.sequence > self.seen]
        self.seen = max((one.sequence for one in trades), default=0)
        got: Counter[tuple[str, int]] = Counter()
        for trade in fresh:
            got[trade.order_id, trade.price] += trade.quantity
            placed = self.venue.books.orders[trade.order_id]
            assert (trade.price - placed.terms.price) * placed.side.sign <= 0, "a fill worse than its limit"
        said = self.model.take_fills()
        assert got == said
        self.total += said
        met: dict[str, list[Any]] = defaultdict(list)
        for trade in trades:
            met[trade.trade_id].append(trade)
        for pair in met.values():
            assert len(pair) == 1 or sum(one.side.sign * one.quantity for one in pair) == 0
            assert len({one.price for one in pair}) == 1
            assert len({one.user_id for one in pair}) == len(pair)
        for one in self.venue.books.orders.values():
            waits = one.is_in_book and one.status == "OPEN"
            assert waits == (one.order_id in self.model.orders), (one.status, one.tag)


def age_of(one: Order, terms: dict[str, Terms]) -> tuple[int, str, str, int]:
    """The age of a stop before it was triggered: it came when it was placed or last changed."""
    placed = [line.at_ms for line in one.history if line.status == "TRIGGER PENDING"]
    return placed[0] if len(placed) == 1 else placed[-1], one.tag, one.user_id, one.sequence


def check_money(desk: Desk) -> None:
    """Count every account a second time, from its trades alone."""
    books, ltp = desk.venue.books, desk.market.quote(INFY.token).ltp
    charges = desk.venue.charges_of_the_day()
    for account in books.accounts.values():
        cash = sum(-one.side.sign * one.quantity * one.price for one in account.trades)
        net: Counter[str] = Counter()
        for one in account.trades:
            net[one.product] += one.side.sign * one.quantity
        worth = sum(net.values()) * ltp
        unrealised = sum(
            quantity * (ltp - price) for position in account.positions.values() for quantity, price in position.lots
        )
        assert account.realised + unrealised == cash + worth
        assert account.realised == sum(realised_unit_by_unit(account, product) for product in net)
        assert {product: count for product, count in net.items() if count} == {
            product: one.net_quantity for (_, product), one in account.positions.items() if one.net_quantity
        }
        notes = together(
            charges_of(
                INFY,
                product=one.product,
                side=one.side,
                turnover=from_scaled(sum(t.quantity * t.price for t in account.trades if t.order_id == one.order_id)),
                day=books.day,
            )
            for one in account.orders.values()
            if one.filled
        )
        assert Decimal(charges[account.user_id]["total"]) == notes.total


def realised_unit_by_unit(account: Account, product: str) -> int:
    """First in, first out, one unit after the other."""
    realised, open_units = 0, list[tuple[int, int]]()
    for one in account.trades:
        if one.product != product:
            continue
        for _ in range(one.quantity):
            if open_units and open_units[0][0] != one.side.sign:
                sign, cost = open_units.pop(0)
                realised += sign * (one.price - cost)
            else:
                open_units.append((one.side.sign, one.price))
    return realised


def check_end(desk: Desk) -> None:
    """At the end of the day nothing blocks but what is open, and cash is what the trades made of it."""
    desk.venue.end_of_day()
    for account in desk.venue.books.accounts.values():
        assert account.blocked.total() == account.closing.total() == 0
        positions = sum(map(margin.position_margin, account.positions.values()))
        assert margin.available(account) == scaled(1_000_000) + account.realised - positions
        realised = account.realised
        account.settle(desk.market.final_price)
        assert account.cash == scaled(1_000_000) + realised


def played(seed: int, folder: Path | None = None, kills: Container[int] = ()) -> Day:
    """Play a random day of three accounts, checked after every event, with a kill after some of them."""
    dice, day = Random(seed), Day(folder)
    for number in range(EVENTS):
        day.do(random_step(dice))
        if number in kills:
            day.kill()
    day.match()
    return day


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_every_fill_is_what_a_second_engine_says_and_every_rupee_is_counted_twice(seed: int) -> None:
    day = played(seed)

    check_money(day.desk)
    check_end(day.desk)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.sets(st.integers(0, EVENTS - 1), min_size=1, max_size=6))
def test_a_kill_between_any_two_events_changes_no_fill(seed: int, kills: set[int]) -> None:
    whole = played(seed)
    with TemporaryDirectory() as folder:
        killed = played(seed, Path(folder), kills)

        assert killed.venue.ledger_hash() == whole.venue.ledger_hash()
