"""Caps outside the strategy: tighter of house and client, whole entries, repetitions; they never hold an exit."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.fakes.broker import FORBID, REJECT
from trading.domain.caps import HouseCaps
from trading.domain.control import CommandKind
from trading.domain.errors import BrokerForbids
from trading.domain.orders import BrokerOrder
from trading.engine.account_orders import AccountOrders
from trading.engine.client import ClientBook
from trading.engine.reads import Urgency
from trading.ports import AccountRef

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
PLACE = ("kite:AB1001", GILLETTE.key)


def denials(stage: Stage) -> list[str]:
    return [event.data["code"] for event in stage.events("ORDER_DENIED")]


async def entering(stage: Stage, *, caps: HouseCaps | None = None, quantity: int = 100, **policy: Any) -> Stage:
    """Cross the long entry of one instrument."""
    stage.client(**policy)
    stage.plan(GILLETTE, quantity=quantity, config={"max_entries_per_side": 50})
    stage.store.house_caps = caps
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


@pytest.mark.proves("I13")
@pytest.mark.parametrize(
    ("caps", "policy", "code"),
    [
        ({"order_value": Decimal(10809)}, {}, "MAX_ORDER_VALUE"),
        ({}, {"max_order_value": Decimal(10809)}, "MAX_ORDER_VALUE"),
        ({"order_value": Decimal(10809)}, {"max_order_value": Decimal(99999)}, "MAX_ORDER_VALUE"),
        ({"order_quantity": 99}, {}, "MAX_ORDER_QUANTITY"),
        ({}, {"max_order_quantity": 99}, "MAX_ORDER_QUANTITY"),
        ({"needs_algo_id": True}, {}, "ALGO_ID"),
        ({"trades_a_day": 0}, {}, "GATE_ERROR"),
        ({"collar_percent": Decimal(100)}, {}, "GATE_ERROR"),
    ],
)
async def test_an_entry_beyond_a_cap_is_denied(
    stage: Stage, caps: dict[str, Any], policy: dict[str, Any], code: str
) -> None:
    await entering(stage, caps=replace(HouseCaps(), **caps), **policy)

    assert stage.sent() == []
    assert denials(stage) == [code]


@pytest.mark.proves("I13")
async def test_an_entry_exactly_at_every_cap_passes(stage: Stage) -> None:
    caps = HouseCaps(order_value=Decimal(10810), order_quantity=100, trades_a_day=1, open_positions=1)

    await entering(stage, caps=caps, max_order_quantity=100)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("I19")
async def test_without_the_houses_caps_nothing_is_entered(stage: Stage) -> None:
    await entering(stage, caps=None)

    assert stage.sent() == []
    assert denials(stage) == ["GATE_ERROR"]


async def test_the_collar_is_the_tighter_one(stage: Stage) -> None:
    stage.client(price_collar_percent=Decimal(5))
    stage.plan(GILLETTE)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    stage.clock.set_ist("09:15:01")
    # Six percent above yesterday's close: within the house's twenty, beyond the client's five.
    stage.feed.put(stage.trade("108.10", GILLETTE)._replace(close=1019800))
    await stage.settle(0.5)

    assert denials(stage) == ["PRICE_COLLAR"]
    verdict = stage.events("GATE")[-1].data["verdicts"][-1]
    assert verdict["facts"] == {
        "prices": ["108.1"], "reference": "101.98", "limit": "5", "whose": "the client's"
    }  # fmt: skip


@pytest.mark.proves("F32")
async def test_an_address_that_is_not_this_machines_lets_nothing_be_entered_and_exits_pass(stage: Stage) -> None:
    wrong: list[AccountRef] = []

    def problem(ref: AccountRef) -> str:
        return "203.0.113.7 is not an address of this machine" if wrong else ""

    stage.client()
    stage.plan(GILLETTE)
    await stage.start(egress_problem=problem)
    await stage.ticks(*ENTRY)
    wrong.append(stage.store.accounts["kite:AB1001"])
    await stage.tick("09:15:02", "103.00")
    await stage.ticks(("09:16:00", "101.00"), ("09:16:01", "100.80"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert denials(stage) == ["EGRESS_ADDRESS"]


@pytest.mark.proves("F32", database="none")
async def test_a_broker_that_refuses_this_machines_address_is_asked_once_and_a_person_is_told(stage: Stage) -> None:
    broker = stage.client()
    stage.plan(GILLETTE, config={"max_entries_per_side": 50})
    await stage.start()
    broker.script.append(FORBID)

    await stage.ticks(*ENTRY, ("09:16:00", "108.00"), ("09:16:01", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert denials(stage) == ["EGRESS_REFUSED"]
    assert stage.alarm_codes().count("EGRESS_REFUSED") == 1

    stage.store.add_command(CommandKind.RELOAD, None, {}, day=DAY)
    await stage.settle(1.0)
    await stage.ticks(("09:17:00", "108.00"), ("09:17:01", "108.10"))
    assert stage.broker.net(GILLETTE.key) == 100


@pytest.mark.proves("F32", "I18", database="none")
async def test_reads_that_are_refused_because_of_the_address_are_an_alarm_too(stage: Stage) -> None:
    broker = stage.client()
    stage.plan(GILLETTE)

    async def forbidden() -> list[BrokerOrder]:
        raise BrokerForbids("IP (203.0.113.7) is not allowed", error_type="PermissionException", status=403)

    broker.orders = forbidden  # type: ignore[method-assign]
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.settle(30.0)

    assert stage.sent() == []
    assert stage.alarm_codes().count("EGRESS_REFUSED") == 1


@pytest.mark.proves("F32", database="none")
async def test_an_address_that_is_not_this_machines_is_told_at_the_start(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)

    await stage.start(egress_problem=lambda ref: "203.0.113.7 is no address of this machine")

    assert stage.alarm_codes() == ["EGRESS_ADDRESS"]


async def repeat(stage: Stage, times: int, *, apart_s: int = 2) -> None:
    """Let the long entry fire again and again, each refused by the broker."""
    stage.broker.script.extend([REJECT] * 100)
    for number in range(times):
        second = 60 + number * apart_s * 2
        at = f"09:{15 + second // 60:02}:{second % 60:02}"
        later = f"09:{15 + (second + apart_s) // 60:02}:{(second + apart_s) % 60:02}"
        await stage.tick(at, "108.00")
        await stage.tick(later, "108.10")


@pytest.mark.proves("F65", "I13", "I27")
async def test_the_same_entry_again_and_again_stops_the_ladder_until_a_person_lets_it_go_on(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()

    await repeat(stage, 8)

    assert len(stage.sent()) == HouseCaps().same_side_entries
    assert denials(stage) == ["REPEATED_EXECUTION", "LADDER_STOPPED", "LADDER_STOPPED"]
    assert "5 entries on one side within 60 s" in stage.store.stopped_ladders[PLACE]
    assert stage.alarm_codes().count("REPEATED_EXECUTION") == 1

    del stage.store.stopped_ladders[PLACE]
    stage.store.allowed_again[PLACE] = stage.clock.now()
    await stage.settle(1.0)
    stage.broker.script.clear()
    await stage.ticks(("09:30:00", "108.00"), ("09:30:01", "108.10"))
    assert stage.sent()[-1] == ("ENTRY", "BUY", 100)


@pytest.mark.proves("I13")
async def test_a_ladder_enters_so_often_a_day_and_no_more(stage: Stage) -> None:
    stage.store.house_caps = HouseCaps(entries_a_ladder=3)
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()

    await repeat(stage, 5, apart_s=40)

    assert len(stage.sent()) == 3
    assert denials(stage) == ["REPEATED_EXECUTION", "LADDER_STOPPED"]


async def test_a_stopped_ladder_stays_stopped_over_a_restart_and_its_exits_pass(stage: Stage) -> None:
    await entering(stage, caps=HouseCaps())
    stage.store.stopped_ladders[PLACE] = "a test"
    await stage.stop()
    await stage.start()

    await stage.ticks(("09:20:00", "103.10"), ("09:20:01", "108.00"), ("09:20:02", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert denials(stage) == ["LADDER_STOPPED"]


@pytest.mark.proves("I13", "I16")
async def test_repetitions_before_a_restart_count_after_it(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await repeat(stage, 4)
    await stage.stop()
    await stage.start()

    await stage.ticks(
        *(pair for n in range(33, 39, 2) for pair in ((f"09:16:{n}", "108.00"), (f"09:16:{n + 1}", "108.1")))
    )

    assert len(stage.sent()) == 5
    assert PLACE in stage.store.stopped_ladders


async def test_a_denied_order_takes_no_call_of_the_budget(stage: Stage) -> None:
    await entering(stage, caps=None)

    assert stage.session.house.accounts["kite:AB1001"].desk.budget.today == 0


# -- exits whose check breaks --------------------------------------------------------------------------------------


def break_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: AccountOrders, instrument: str, **besides: Any) -> int:
        raise KeyError("planted")

    monkeypatch.setattr(AccountOrders, "working_exit_units", broken)


@pytest.mark.proves("I19")
async def test_an_exit_whose_check_breaks_goes_by_the_brokers_own_positions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entering(stage, caps=HouseCaps())
    break_the_book(monkeypatch)

    await stage.tick("09:15:02", "103.00")

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert "GATE_ERROR" in stage.alarm_codes()
    verdicts = {verdict["check"]: verdict for verdict in stage.events("GATE")[-1].data["verdicts"]}
    assert verdicts["reduce_only"]["code"] == "GATE_ERROR"
    assert verdicts["second_path"]["facts"] == {
        "net_quantity": 100, "working_exit_quantity": 0, "signed_quantity": -100
    }  # fmt: skip
    assert verdicts["claim"]["ok"]


@pytest.mark.proves("I27")
async def test_the_second_paths_reads_count_with_all_others_and_wait_for_room_no_longer_than_a_second(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entering(stage, caps=HouseCaps())
    break_the_book(monkeypatch)
    desk = stage.session.house.accounts["kite:AB1001"].desk
    await stage.settle(3.0)
    for _ in range(Urgency.EXIT // 2):
        await desk.reads.unjudged()  # two reads each: all that the broker takes within a second

    await stage.tick("09:15:02", "103.00")
    assert len(stage.sent()) == 1

    await stage.settle(1.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("I19")
async def test_an_exit_that_neither_gate_nor_broker_can_judge_is_tried_again_and_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entering(stage, caps=HouseCaps())
    break_the_book(monkeypatch)
    stage.broker.is_readable = False

    await stage.tick("09:15:02", "103.00")
    assert len(stage.sent()) == 1
    assert "EXIT_FAILED" in stage.alarm_codes()

    stage.broker.is_readable = True
    await stage.at("09:15:20")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("I4", "I19")
async def test_the_second_path_lets_no_exit_turn_a_position_round(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entering(stage, caps=HouseCaps())
    stage.broker.trade_by_hand(GILLETTE.key, stage.broker.placed[0].side.opposite, 100)
    break_the_book(monkeypatch)

    await stage.tick("09:15:02", "103.00")

    assert len(stage.sent()) == 1
    assert denials(stage) == ["NOT_REDUCING"]


@pytest.mark.proves("I19")
async def test_an_entry_whose_check_breaks_is_denied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ClientBook, **besides: Any) -> int:
        raise KeyError("planted")

    monkeypatch.setattr(ClientBook, "open_positions", broken)

    await entering(stage, caps=HouseCaps())

    assert stage.sent() == []
    assert denials(stage) == ["GATE_ERROR"]
