"""What is done to an order by a hand from outside: kept with the ledger, done at its moment, after a kill too."""

from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from tests.exchange.fakes import INFY, Desk, Times, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.hand import FILL, FREEZE, REJECT, RESURRECT, Fate, NoScript
from trading.exchange.venue.orders import Order, Status
from trading.exchange.venue.refusals import Refusal

SECOND_MS = 1000


class OneFate(NoScript):
    """Gives every order, or every cancelled one, the same fate."""

    def __init__(self, make: Callable[[Order], Fate], *, on_cancel: bool = False) -> None:
        self._make = make
        self._on_cancel = on_cancel
        self.exits: list[bool] = []

    def on_order(self, order: Order, *, is_exit: bool) -> Fate | None:
        self.exits.append(is_exit)
        return None if self._on_cancel else self._make(order)

    def on_cancel(self, order: Order) -> Fate | None:
        return self._make(order) if self._on_cancel else None


def scripted(
    desk: Desk, word: str, *, seconds: int = 0, on_cancel: bool = False, schedule: tuple[int, ...] = ()
) -> None:
    due_ms = desk.times.now_ms() + seconds * SECOND_MS
    desk.venue.hand.script = OneFate(
        lambda order: Fate(order.order_id, word, due_ms, "RMS:no", schedule), on_cancel=on_cancel
    )


def status_of(desk: Desk, order_id: str) -> Status:
    return desk.venue.books.orders[order_id].status


def later(desk: Desk, moment: time) -> None:
    """Let time pass, with a tick."""
    desk.times.go_to(moment)
    desk.tick(quote_of(INFY, 1500))


def killed(tmp_path: Path, moment: time) -> Desk:
    """Open the ledger that a killed process left; its own script and memory are gone."""
    return Desk(tmp_path, times=Times(moment))


def test_what_will_be_rejected_is_rejected_in_time_also_after_a_kill(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    scripted(first, REJECT, seconds=5)
    order_id = first.trade(order())
    assert status_of(first, order_id) is Status.VALIDATION_PENDING

    second = killed(tmp_path, time(10, 0, 3))
    second.venue.match_pending()
    assert status_of(second, order_id) is Status.VALIDATION_PENDING
    later(second, time(10, 0, 5))

    assert status_of(second, order_id) is Status.REJECTED
    assert second.words == [("", "REJECTED")]
    assert second.venue.books.accounts["AB1001"].positions == {}
    assert status_of(killed(tmp_path, time(10, 1)), order_id) is Status.REJECTED


def test_what_is_cancelled_before_it_would_be_rejected_stays_cancelled() -> None:
    desk = Desk()
    scripted(desk, REJECT, seconds=5)
    order_id = desk.trade(order())
    desk.venue.cancel(desk.venue.books.orders[order_id])
    desk.venue.match_pending()
    later(desk, time(10, 1))

    assert status_of(desk, order_id) is Status.CANCELLED


def test_what_stands_still_is_out_of_reach_until_it_is_thawed_or_the_day_ends(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    scripted(first, FREEZE)
    order_id, other = first.trade(order()), first.trade(order())

    second = killed(tmp_path, time(11, 0))
    later(second, time(12, 0))
    assert status_of(second, order_id) is Status.OPEN_PENDING
    with pytest.raises(Refusal, match="being processed"):
        second.venue.cancel(second.venue.books.orders[order_id])
    thawed = second.venue.by_hand.thaw("AB1002")
    assert thawed == []
    second.venue.by_hand.thaw("AB1001")
    assert status_of(second, order_id) is Status.COMPLETE
    assert status_of(second, other) is Status.COMPLETE

    third = Desk()
    scripted(third, FREEZE)
    left = third.trade(order())
    third.venue.end_of_day()
    assert status_of(third, left) is Status.CANCELLED


def test_a_schedule_holds_for_its_own_order_also_after_a_kill(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    scripted(first, FILL, schedule=(40, 0, 100))
    order_id = first.trade(limit(Side.BUY, 100, 1500))
    assert first.venue.books.orders[order_id].filled == 40

    second = killed(tmp_path, time(10, 0, 1))
    unscripted = second.trade(limit(Side.BUY, 7, 1500))
    later(second, time(10, 0, 2))
    assert second.venue.books.orders[order_id].filled == 40
    later(second, time(10, 0, 3))

    assert second.venue.books.orders[order_id].filled == 100
    assert status_of(second, unscripted) is Status.COMPLETE


def test_a_cancelled_order_comes_back_and_fills_also_after_a_kill(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    scripted(first, RESURRECT, seconds=60, on_cancel=True)
    order_id = first.trade(limit(Side.BUY, 10, 1400))
    first.venue.cancel(first.venue.books.orders[order_id])
    first.venue.match_pending()
    assert status_of(first, order_id) is Status.CANCELLED

    second = killed(tmp_path, time(10, 0, 59))
    later(second, time(10, 0, 59))
    assert status_of(second, order_id) is Status.CANCELLED
    later(second, time(10, 1))
    later(second, time(10, 2))

    account = second.venue.books.accounts["AB1001"]
    assert status_of(second, order_id) is Status.COMPLETE
    assert [(one.quantity, one.price) for one in account.trades] == [(10, 14_000_000)]
    assert account.live == {}
    assert [one.filled for one in killed(tmp_path, time(10, 3)).venue.books.orders.values()] == [10]


def test_a_fill_may_be_faster_than_a_part_of_a_cancellation() -> None:
    desk = Desk()
    scripted(desk, FILL, on_cancel=True, schedule=(30,))
    order_id = desk.trade(limit(Side.BUY, 10, 1400))
    desk.venue.cancel(desk.venue.books.orders[order_id])
    desk.venue.match_pending()
    row = desk.venue.books.orders[order_id]

    assert (row.status, row.filled, row.cancelled) == (Status.CANCELLED, 3, 7)


def test_an_exit_is_what_opens_nothing_a_sale_from_the_demat_account_too() -> None:
    desk = Desk()
    script = OneFate(lambda order: Fate(order.order_id, FILL, schedule=(100,)))
    desk.venue.hand.script = script
    desk.trade(order())
    desk.trade(order(Side.SELL))
    desk.trade(order(Side.SELL))
    desk.trade(order(Side.SELL, 5, product="CNC"))

    assert script.exits == [False, True, False, True]
