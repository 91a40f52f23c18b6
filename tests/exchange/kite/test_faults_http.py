"""Scripted faults on REST, as the unmodified SDK sees them."""

import asyncio
import time
from typing import Any

import pytest
import requests
from kiteconnect import exceptions as kite_errors

from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import Served, serving

PLACE = {"method": "POST", "path": "/orders/"}


def orders_of(served: Served) -> int:
    return len(served.desk.venue.books.orders)


async def place_under(served: Served, rule: dict[str, Any], *, timeout: float = 1.0) -> None:
    served.faults.add({"match": PLACE, "n": 1} | rule)
    await served.call(served.kite(timeout=timeout).place_order, **MARKET)


@pytest.mark.parametrize(
    ("rule", "error", "taken"),
    [
        ({"phase": "before_accept", "action": "rst"}, requests.ConnectionError, 0),
        ({"phase": "after_accept", "action": "rst"}, requests.ConnectionError, 1),
        ({"phase": "reply", "action": "rst"}, requests.RequestException, 1),
        ({"phase": "before_accept", "action": "drop", "seconds": 3}, requests.ReadTimeout, 0),
        ({"phase": "after_accept", "action": "drop", "seconds": 3}, requests.ReadTimeout, 1),
        ({"phase": "after_accept", "action": "drop", "seconds": 0}, requests.ConnectionError, 1),
        ({"phase": "reply", "action": "drop"}, requests.RequestException, 1),
        ({"phase": "after_accept", "action": "delay", "seconds": 3}, requests.ReadTimeout, 1),
        ({"phase": "before_accept", "action": "status", "status": 503}, kite_errors.NetworkException, 0),
        ({"phase": "after_accept", "action": "status", "status": 502}, kite_errors.NetworkException, 1),
        (
            {"phase": "after_accept", "action": "body", "body": "<html>", "content_type": "text/html"},
            kite_errors.DataException,
            1,
        ),
        ({"phase": "reply", "action": "status", "status": 503}, kite_errors.NetworkException, 1),
        (
            {"phase": "reply", "action": "body", "body": "<html>", "content_type": "text/html; charset=utf-8"},
            kite_errors.DataException,
            1,
        ),
        ({"phase": "reply", "action": "body", "body": '{"status": "suc'}, kite_errors.DataException, 1),
        ({"phase": "reply", "action": "body", "body": '{"status": "success"}'}, KeyError, 1),
    ],
)
async def test_an_order_may_have_been_taken_although_the_answer_is_lost(
    rule: dict[str, Any], error: type[Exception], taken: int
) -> None:
    async with serving() as served:
        with pytest.raises(error):
            await place_under(served, rule)

        assert orders_of(served) == taken
        assert served.faults.report()["injected"] == {rule["action"]: 1}


async def test_a_reset_connection_is_a_reset_and_not_an_end() -> None:
    async with serving() as served:
        with pytest.raises(requests.ConnectionError, match="reset by peer"):
            await place_under(served, {"phase": "before_accept", "action": "rst"})


async def test_a_400_may_be_accepted_seconds_later() -> None:
    async with serving() as served:
        rule = {
            "phase": "before_accept",
            "action": "status",
            "status": 400,
            "error_type": "InputException",
            "message": "Order request timed out",
            "accept_after_s": 0.2,
        }

        with pytest.raises(kite_errors.InputException, match="Order request timed out"):
            await place_under(served, rule)
        at_once = orders_of(served)
        await asyncio.sleep(0.4)

        assert (at_once, orders_of(served)) == (0, 1)


async def test_a_delay_before_acceptance_only_takes_time() -> None:
    async with serving() as served:
        began = time.monotonic()

        await place_under(served, {"phase": "before_accept", "action": "delay", "seconds": 0.3})

        assert time.monotonic() - began >= 0.3
        assert orders_of(served) == 1


async def test_a_rule_hits_only_what_it_matches_and_only_n_times() -> None:
    async with serving() as served:
        served.faults.add({"match": {"path": "^/orders$", "user_id": "AB1001"}, "action": "status", "n": 2})
        alice, bob = served.kite("AB1001"), served.kite("AB1002")

        await served.call(alice.positions)
        await served.call(bob.orders)
        for _ in range(2):
            with pytest.raises(kite_errors.NetworkException):
                await served.call(alice.orders)
        assert await served.call(alice.orders) == []

        report = served.faults.report()
    assert report["injected"] == {"status": 2}
    assert [line["user_id"] for line in report["log"]] == ["AB1001"] * 2


async def test_chance_is_repeatable() -> None:
    hits = []
    for _ in range(2):
        async with serving() as served:
            served.faults.add({"match": {"path": "/user/profile"}, "action": "status", "prob": 0.5})
            kite = served.kite()
            answers = []
            for _ in range(12):
                try:
                    await served.call(kite.profile)
                    answers.append("ok")
                except kite_errors.NetworkException:
                    answers.append("fault")
            hits.append(answers)

    assert hits[0] == hits[1]
    assert set(hits[0]) == {"ok", "fault"}


async def test_cleared_rules_strike_no_more_but_stay_counted() -> None:
    async with serving() as served:
        kite = served.kite()
        served.faults.add({"action": "status"})
        with pytest.raises(kite_errors.NetworkException):
            await served.call(kite.profile)

        served.faults.clear()

        assert (await served.call(kite.profile))["user_id"] == "AB1001"
        assert served.faults.report()["injected"] == {"status": 1}
        assert served.faults.report()["rules"] == []
