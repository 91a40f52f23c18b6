"""The contract of every store (in memory, SQLite, PostgreSQL): the broker's words and trades."""

from datetime import timedelta

import pytest

from tests.factories import DAY, TEN_O_CLOCK, entry_intent
from tests.stores.steps import create, order_of, stored, trade_of
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.orders import OrderStatus


async def test_the_brokers_last_word_is_kept_with_the_intent(world: World) -> None:
    await create(world, entry_intent())
    order = order_of(entry_intent(), OrderStatus.OPEN, filled=4, status_message="slow", broker_status="OPEN PENDING")

    await world.store.save_order(ALICE, order)

    assert (await stored(world, entry_intent())).order == order


@pytest.mark.proves("F26", "I10", "I12")
async def test_older_words_about_an_order_are_passed_over(world: World) -> None:
    await create(world, entry_intent())
    newest = order_of(entry_intent(), OrderStatus.COMPLETE, filled=10)
    await world.store.save_order(ALICE, newest)

    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, filled=4))
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, filled=10))

    assert (await stored(world, entry_intent())).order == newest


@pytest.mark.proves("F24", "I12")
async def test_a_cancelled_order_that_filled_after_all_is_believed(world: World) -> None:
    await create(world, entry_intent())
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.CANCELLED, filled=4))

    late = order_of(entry_intent(), OrderStatus.COMPLETE, filled=10)
    await world.store.save_order(ALICE, late)

    assert (await stored(world, entry_intent())).order == late


@pytest.mark.proves("I1")
async def test_an_order_with_our_tag_on_another_account_is_not_ours(world: World) -> None:
    await create(world, entry_intent())

    await world.store.save_order(CHARLIE, order_of(entry_intent(), OrderStatus.COMPLETE, filled=10))

    assert (await stored(world, entry_intent())).order is None


async def test_a_strangers_order_changes_nothing(world: World) -> None:
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, tag=""))

    assert (await world.store.load_book(DAY)).intents == ()


@pytest.mark.proves("F26", "I9", "I10")
async def test_each_trade_is_kept_once_whatever_is_repeated(world: World) -> None:
    one, two = trade_of("1"), trade_of("2", quantity=3)

    assert await world.store.save_trades(ALICE, [one]) == [one]
    assert await world.store.save_trades(ALICE, [two, one, two]) == [two]
    assert await world.store.save_trades(ALICE, []) == []

    assert (await world.store.load_book(DAY)).trades == ((ALICE, one), (ALICE, two))


@pytest.mark.proves("F63", "I10")
async def test_trade_numbers_are_an_exchanges_on_one_day_and_an_accounts(world: World) -> None:
    monday, tuesday = trade_of("7"), trade_of("7", filled_at=TEN_O_CLOCK + timedelta(days=1))
    on_bse = trade_of("7", instrument="BSE:INFY")

    assert await world.store.save_trades(ALICE, [monday, tuesday, on_bse]) == [monday, tuesday, on_bse]
    assert await world.store.save_trades(CHARLIE, [monday]) == [monday]

    assert (await world.store.load_book(DAY)).trades == ((ALICE, monday), (ALICE, on_bse), (CHARLIE, monday))
