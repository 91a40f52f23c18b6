"""Mutual funds: what an order and a SIP do over the days."""

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, Desk, FakeMarket
from trading.domain.money import PRICE_SCALE
from trading.exchange.venue.fund_values import ENDLESS, FUNDS, UNIT_SCALE, Sip, last_nav_day, units_for
from trading.exchange.venue.funds import FundBook, SipWish
from trading.exchange.venue.refusals import Refusal

FUND, OTHER, NO_SALE, NO_PURCHASE = "INF0SIM01GR1", "INF0SIM01DV9", "INF0SIM04GR5", "INF0SIM05GR3"
USER = "AB1001"
MONTHLY = SipWish(1000 * PRICE_SCALE, 12, "monthly", 5)


def rupees(amount: int) -> int:
    return amount * PRICE_SCALE


def roll(desk: Desk, day: date) -> None:
    desk.times.go_to(time(9, 15), day)
    desk.venue.begin_day(FakeMarket(day))


def held(book: FundBook, symbol: str = FUND) -> int:
    return sum(holding.quantity for holding in book.holdings(USER) if holding.symbol == symbol)


def test_navs_are_the_same_for_everybody_and_near_their_base() -> None:
    for fund in FUNDS.values():
        navs = [fund.nav(DAY + timedelta(days=n)) for n in range(100)]

        assert navs == [fund.nav(DAY + timedelta(days=n)) for n in range(100)]
        assert len(set(navs)) > 50
        assert all(abs(nav - fund.base_nav) * 50 <= fund.base_nav for nav in navs)


def test_the_newest_nav_is_that_of_the_weekday_before() -> None:
    assert last_nav_day(date(2026, 11, 23)) == date(2026, 11, 20)
    assert last_nav_day(date(2026, 11, 24)) == date(2026, 11, 23)


def test_a_purchase_is_allotted_at_the_nav_of_its_own_day_when_the_next_one_opens() -> None:
    desk = Desk()
    before = held(desk.venue.funds)
    order = desk.venue.saved(desk.venue.funds.buy(USER, FUND, rupees(5000), "COIN"))
    cash = desk.venue.books.accounts[USER].cash
    same_day = held(desk.venue.funds)
    roll(desk, DAY.replace(day=24))
    settled = desk.venue.funds.order(USER, order.order_id)

    nav = FUNDS[FUND].nav(DAY)
    assert same_day == before
    assert (settled.status, settled.nav, settled.quantity) == ("COMPLETE", nav, units_for(rupees(5000), nav))
    assert held(desk.venue.funds) == before + settled.quantity
    assert desk.venue.books.accounts[USER].cash == cash


def test_a_redemption_takes_the_units_away_on_the_next_day() -> None:
    desk = Desk()
    before = held(desk.venue.funds)
    desk.venue.saved(desk.venue.funds.sell(USER, FUND, 10 * UNIT_SCALE + 1, ""))
    with pytest.raises(Refusal, match=r"Only 89.999 units can be redeemed") as refused:
        desk.venue.funds.sell(USER, FUND, 90 * UNIT_SCALE, "")
    roll(desk, DAY.replace(day=24))

    assert refused.value.error_type == "HoldingException"
    assert held(desk.venue.funds) == before - 10 * UNIT_SCALE - 1


def test_an_order_can_be_cancelled_on_its_own_day_only() -> None:
    desk = Desk()
    first, second = (desk.venue.funds.buy(USER, FUND, rupees(5000), "").order_id for _ in range(2))
    desk.venue.saved(desk.venue.funds.cancel(USER, first))
    roll(desk, DAY.replace(day=24))

    assert desk.venue.funds.order(USER, first).status == "CANCELLED"
    for order_id, status in ((first, "CANCELLED"), (second, "COMPLETE")):
        with pytest.raises(Refusal, match=f"already {status}"):
            desk.venue.funds.cancel(USER, order_id)


@pytest.mark.parametrize(
    ("symbol", "amount", "words"),
    [
        ("NOPE", rupees(5000), "Invalid `tradingsymbol`"),
        (NO_PURCHASE, rupees(5000), "Purchase is not allowed"),
        (OTHER, rupees(999), "The least is 1000"),
        (FUND, rupees(499), "The least is 500"),
        (FUND, rupees(500) + 1, "multiples of 1"),
    ],
)
def test_a_purchase_that_the_fund_does_not_take_is_refused(symbol: str, amount: int, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        Desk().venue.funds.buy(USER, symbol, amount, "")


def test_a_redemption_that_the_fund_does_not_take_is_refused() -> None:
    funds = Desk().venue.funds

    for symbol, quantity, words in ((NO_SALE, 1000, "not allowed"), (FUND, 0, "Invalid"), (OTHER, 1000, "Only 0.000")):
        with pytest.raises(Refusal, match=words):
            funds.sell(USER, symbol, quantity, "")


def test_a_sip_places_its_instalments_on_their_days_and_ends() -> None:
    desk = Desk()
    sip_id = desk.venue.saved(
        desk.venue.funds.register(USER, FUND, SipWish(rupees(1000), 6, "weekly", 0), "COIN")
    ).sip_id
    seen = []
    for week in range(1, 9):
        for offset in (0, 1):
            roll(desk, DAY + timedelta(days=7 * week + offset))
        sip = desk.venue.funds.sip(USER, sip_id)
        seen.append((sip.done, sip.pending, sip.status))

    assert seen[0] == (1, 5, "ACTIVE")
    assert seen[5:] == [(6, 0, "COMPLETED")] * 3
    assert held(desk.venue.funds) > 100 * UNIT_SCALE
    assert desk.venue.funds.listed_sips(USER) == []


@pytest.mark.parametrize(
    ("frequency", "day", "dates"),
    [
        ("weekly", 0, ["2026-11-30", "2026-12-07"]),
        ("monthly", 25, ["2026-11-25", "2026-12-25"]),
        ("monthly", 5, ["2026-12-05", "2027-01-05"]),
        ("quarterly", 0, ["2027-02-23", "2027-05-23"]),
    ],
)
def test_instalments_fall_on_the_days_of_their_rhythm(frequency: str, day: int, dates: list[str]) -> None:
    desk = Desk()
    book = desk.venue.funds
    sip = book.register(USER, FUND, SipWish(rupees(1000), ENDLESS, frequency, day), "")
    roll(desk, date.fromisoformat(dates[0]))

    assert [sip.next_on, book.sip(USER, sip.sip_id).next_on] == dates
    assert book.sip(USER, sip.sip_id).pending == ENDLESS


def test_a_day_that_is_opened_twice_after_a_kill_places_and_settles_once() -> None:
    desk = Desk()
    book = desk.venue.funds
    book.register(USER, FUND, SipWish(rupees(1000), ENDLESS, "weekly", 0), "")
    day = date(2026, 11, 30)
    desk.times.go_to(time(9, 15), day)
    for _ in range(2):
        book.begin_day(day)

    assert [(order.variety, order.status) for order in book.listed(USER)] == [("sip", "OPEN")]


def test_a_paused_sip_waits_and_a_cancelled_one_is_over() -> None:
    desk = Desk()
    book = desk.venue.funds
    sip_id = book.register(USER, FUND, MONTHLY, "").sip_id
    book.modify_sip(USER, sip_id, MONTHLY._replace(amount=rupees(2000)), "PAUSED")
    roll(desk, date(2026, 12, 7))
    paused = book.sip(USER, sip_id)
    book.cancel_sip(USER, sip_id)

    assert (paused.status, paused.done, paused.amount) == ("PAUSED", 0, rupees(2000))
    attempts: list[Callable[[], Sip]] = [
        lambda: book.cancel_sip(USER, sip_id),
        lambda: book.modify_sip(USER, sip_id, MONTHLY, "ACTIVE"),
    ]
    for attempt in attempts:
        with pytest.raises(Refusal, match="already CANCELLED"):
            attempt()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (MONTHLY._replace(amount=rupees(499)), "Invalid `amount`"),
        (MONTHLY._replace(instalments=5), "Invalid `instalments`"),
        (MONTHLY._replace(instalments=-2), "Invalid `instalments`"),
        (MONTHLY._replace(frequency="daily"), "Invalid `frequency`"),
        (MONTHLY._replace(day=31), "Invalid `instalment_day`"),
        (MONTHLY._replace(day=0), "Invalid `instalment_day`"),
        (SipWish(rupees(1000), 12, "weekly", 5), "Invalid `instalment_day`"),
    ],
)
def test_a_sip_that_no_fund_takes_is_refused(wish: SipWish, words: str) -> None:
    book = Desk().venue.funds
    sip_id = book.register(USER, FUND, MONTHLY, "").sip_id

    with pytest.raises(Refusal, match=words):
        book.register(USER, FUND, wish, "")
    with pytest.raises(Refusal, match=words):
        book.modify_sip(USER, sip_id, wish, "ACTIVE")


def test_one_users_funds_are_not_anothers() -> None:
    book = Desk().venue.funds
    order_id, sip_id = book.buy(USER, FUND, rupees(5000), "").order_id, book.register(USER, FUND, MONTHLY, "").sip_id

    for look, what in ((book.order, order_id), (book.cancel, order_id), (book.sip, sip_id), (book.cancel_sip, sip_id)):
        with pytest.raises(Refusal, match="Couldn't find"):
            look("AB1003", what)
    assert (book.listed("AB1003"), book.listed_sips("AB1003")) == ([], [])


def test_orders_and_sips_are_kept_over_restarts_and_days(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    order = desk.venue.saved(desk.venue.funds.buy(USER, FUND, rupees(5000), "COIN"))
    sip = desk.venue.saved(desk.venue.funds.register(USER, FUND, MONTHLY, "COIN"))
    desk.venue.close()

    desk = Desk(tmp_path)
    assert (desk.venue.funds.order(USER, order.order_id), desk.venue.funds.sip(USER, sip.sip_id)) == (order, sip)
    roll(desk, DAY.replace(day=24))
    units = held(desk.venue.funds)
    desk.venue.close()

    assert held(Desk(tmp_path, market=FakeMarket(DAY.replace(day=24))).venue.funds) == units > 100 * UNIT_SCALE
