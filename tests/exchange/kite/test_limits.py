"""Rate limits in wire time, per api key."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from kiteconnect import KiteConnect
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import DAY, Desk, FakeMarket, Times
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import serving
from trading.exchange.kite.limits import HISTORICAL, ORDERS, ORDERS_PER_DAY, OTHER, QUOTE, RateLimits
from trading.exchange.venue.day_counts import DayCounts
from trading.exchange.venue.refusals import Refusal


def passes(limits: RateLimits, bucket: str, times: int, *, key: str = "key", day: date = DAY) -> int:
    """Give how many of so many requests get through."""
    passed = 0
    for _ in range(times):
        try:
            limits.check(bucket, key, day)
        except Refusal:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize(("bucket", "most"), [(ORDERS, 10), (QUOTE, 1), (HISTORICAL, 3), (OTHER, 10)])
def test_a_second_lets_so_many_through_and_the_next_second_as_many_again(bucket: str, most: int) -> None:
    times = Times()
    limits = RateLimits(times.monotonic, DayCounts())

    first = passes(limits, bucket, 30)
    times.wire_s += 0.9
    too_early = passes(limits, bucket, 30)
    times.wire_s += 0.1
    second = passes(limits, bucket, 30)

    assert (first, too_early, second) == (most, 0, most)


def test_keys_do_not_share_a_limit() -> None:
    limits = RateLimits(Times().monotonic, DayCounts())

    assert passes(limits, QUOTE, 2, key="a") == passes(limits, QUOTE, 2, key="b") == 1


def test_400_orders_a_minute() -> None:
    times = Times()
    limits = RateLimits(times.monotonic, DayCounts())
    passed = 0
    for _ in range(55):
        passed += passes(limits, ORDERS, 10)
        times.wire_s += 1

    assert passed == 400
    times.wire_s += 5
    assert passes(limits, ORDERS, 10) == 10


def test_5000_orders_a_market_day_with_a_text_of_its_own() -> None:
    times = Times()
    limits = RateLimits(times.monotonic, DayCounts())
    for _ in range(ORDERS_PER_DAY):
        times.wire_s += 0.2
        limits.check(ORDERS, "key", DAY)
    times.wire_s += 60

    with pytest.raises(Refusal, match="Maximum allowed order requests exceeded"):
        limits.check(ORDERS, "key", DAY)
    assert passes(limits, ORDERS, 1, day=DAY.replace(day=24)) == 1


async def test_the_days_count_outlives_a_restart_with_the_refused_orders_in_it_and_ends_with_the_day(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.venue.day_counts.put(desk.venue.users["AB1001"].api_key, DAY, ORDERS_PER_DAY - 3)

    async def more(desk: Desk) -> list[str]:
        async with serving(desk) as served:
            kite = served.kite()
            words: list[str] = []
            for quantity in (0, 1, 1, 1):
                words += await served.call(ask, lambda q=quantity: kite.place_order(**MARKET | {"quantity": q}))
            return words

    before = await more(desk)
    desk.venue.close()
    after = await more(Desk(tmp_path))
    tomorrow = await more(Desk(tmp_path, market=FakeMarket(DAY.replace(day=24))))

    assert before == ["Invalid `quantity`.", "ok", "ok", "Maximum allowed order requests exceeded"]
    assert after == ["Maximum allowed order requests exceeded"] * 4
    assert "Maximum allowed order requests exceeded" not in tomorrow


async def test_a_refused_order_alone_is_counted_on_disk(tmp_path: Path) -> None:
    async with serving(Desk(tmp_path)) as served:
        kite = served.kite()
        await served.call(ask, lambda: kite.place_order(**MARKET | {"quantity": 0}))

        again = Desk(tmp_path)

    assert again.venue.day_counts.of("simkeyab1001", DAY) == 1


def ask(call: Callable[[], object]) -> list[str]:
    try:
        call()
    except kite_errors.KiteException as error:
        return [str(error)]
    return ["ok"]


def hammer(call: Callable[[], object], times: int) -> list[str]:
    words = []
    for _ in range(times):
        try:
            call()
        except kite_errors.NetworkException as error:
            words.append(f"{error.code} {error}")
    return words


async def test_the_sdk_sees_429_as_a_network_exception() -> None:
    async with serving() as served:
        kite = served.kite()

        refused = await served.call(hammer, lambda: kite.place_order(**MARKET), 12)

        assert refused == ["429 Too many requests"] * 2
        assert len(served.desk.venue.books.orders) == 10


async def test_a_refused_order_counts_and_a_bad_token_does_not_use_the_keys_budget() -> None:
    async with serving() as served:
        kite, stranger = served.kite(), served.kite()
        stranger.set_access_token("dead")

        def bad() -> None:
            with pytest.raises(kite_errors.InputException):
                kite.place_order(**MARKET | {"quantity": 0})

        def dead() -> None:
            with pytest.raises(kite_errors.TokenException):
                stranger.orders()

        await served.call(hammer, dead, 12)
        refused = await served.call(hammer, bad, 10)
        served.desk.times.wire_s -= 1  # `call` lets a second pass
        refused += await served.call(hammer, lambda: kite.place_order(**MARKET), 1)

    assert refused == ["429 Too many requests"]


async def test_the_token_calls_are_limited_by_the_apps_key_like_every_other_call() -> None:
    async with serving() as served:
        kite = served.kite()
        stranger = KiteConnect("nobody", root=served.rest)

        def words(client: KiteConnect) -> list[str]:
            said = []
            for _ in range(11):
                try:
                    client.generate_session("dead", "secret")
                except kite_errors.KiteException as error:
                    said.append(f"{error.code} {type(error).__name__}")
            return said

        of_an_app = await served.call(words, kite)
        of_nobody = await served.call(words, stranger)

    assert of_an_app == ["403 TokenException"] * 10 + ["429 NetworkException"]
    assert of_nobody == ["403 TokenException"] * 11
