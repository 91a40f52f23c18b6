"""Zerodha's own mock answers have the same fields and types as the exchange's."""

import csv
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.exchange.fakes import INFY
from tests.exchange.kite.samples import (
    ALERT,
    BASKET,
    CALLS,
    World,
    of_a_fund_order,
    of_a_sip,
    of_a_trigger,
    plain,
)
from tests.exchange.kite.served import serving
from tests.exchange.kite.wire_shapes import differences
from tests.mocks import MOCKS, mock_data, needs_mocks

SDK: dict[str, str] = {
    "auctions_list.json": "get_auction_instruments",
    "autoslice_response.json": "place_autoslice_order",
    "basket_margins.json": "basket_order_margins",
    "convert_position.json": "convert_position",
    "generate_session.json": "generate_session",
    "gtt_delete_order.json": "delete_gtt",
    "gtt_get_order.json": "get_gtt",
    "gtt_get_orders.json": "get_gtts",
    "gtt_modify_order.json": "modify_gtt",
    "gtt_place_order.json": "place_gtt",
    "historical_minute.json": "historical_data",
    "historical_oi.json": "historical_data",
    "holdings.json": "holdings",
    "instruments_all.csv": "instruments",
    "instruments_nse.csv": "instruments",
    "ltp.json": "ltp",
    "margin_commodity.json": "margins",
    "margins.json": "margins",
    "margins_equity.json": "margins",
    "mf_holdings.json": "mf_holdings",
    "mf_instruments.csv": "mf_instruments",
    "mf_order_cancel.json": "cancel_mf_order",
    "mf_order_response.json": "place_mf_order",
    "mf_orders.json": "mf_orders",
    "mf_orders_info.json": "mf_orders",
    "mf_sip_cancel.json": "cancel_mf_sip",
    "mf_sip_info.json": "mf_sips",
    "mf_sip_modify.json": "modify_mf_sip",
    "mf_sip_place.json": "place_mf_sip",
    "mf_sips.json": "mf_sips",
    "ohlc.json": "ohlc",
    "order_cancel.json": "cancel_order",
    "order_info.json": "order_history",
    "order_margins.json": "order_margins",
    "order_modify.json": "modify_order",
    "order_response.json": "place_order",
    "order_trades.json": "order_trades",
    "orders.json": "orders",
    "positions.json": "positions",
    "profile.json": "profile",
    "quote.json": "quote",
    "session_logout.json": "invalidate_access_token",
    "trades.json": "trades",
    "trigger_range.json": "trigger_range",
    "virtual_contract_note.json": "get_virtual_contract_note",
}
"""Which method of the SDK a file is the answer to."""

OTHER_CALLS: dict[str, Callable[[World, Callable[..., Any]], Awaitable[Any]]] = {
    "gtt_get_order.json": of_a_trigger,
    "historical_oi.json": plain(INFY.token, "2026-11-23 09:15:00", "2026-11-23 09:20:00", "minute", oi=True),
    "instruments_nse.csv": plain("NSE"),
    "margin_commodity.json": plain("commodity"),
    "margins_equity.json": plain("equity"),
    "mf_orders_info.json": of_a_fund_order,
    "mf_sip_info.json": of_a_sip,
}
"""Where the method of a file is called in another way than in samples.py."""


async def _alert(world: World) -> Any:
    return await world.raw("POST", "/alerts", data=ALERT)


async def _ato(world: World) -> Any:
    return await world.raw("POST", "/alerts", data=ALERT | {"type": "ato", "basket": json.dumps(BASKET)})


async def _alerts(world: World) -> Any:
    await _alert(world)
    await _ato(world)
    world.tick(1521)
    return await world.raw("GET", "/alerts")


async def _deleted_alert(world: World) -> Any:
    return await world.raw("DELETE", "/alerts", params={"uuid": (await _alert(world))["uuid"]})


async def _one_alert(world: World) -> Any:
    return await world.raw("GET", f"/alerts/{(await _alert(world))['uuid']}")


async def _modified_alert(world: World) -> Any:
    uuid = (await _alert(world))["uuid"]
    return await world.raw("PUT", f"/alerts/{uuid}", data=ALERT | {"rhs_constant": "1530"})


async def _alert_history(world: World) -> Any:
    uuid = (await _alert(world))["uuid"]
    world.tick(1521)
    return await world.raw("GET", f"/alerts/{uuid}/history")


RAW: dict[str, Callable[[World], Awaitable[Any]]] = {
    "alerts_create.json": _alert,
    "alerts_create_ato.json": _ato,
    "alerts_delete.json": _deleted_alert,
    "alerts_get.json": _alerts,
    "alerts_get_one.json": _one_alert,
    "alerts_history.json": _alert_history,
    "alerts_modify.json": _modified_alert,
    "full_profile.json": lambda world: world.raw("GET", "/user/profile/full"),
    "holdings_auth.json": lambda world: world.raw("POST", "/portfolio/holdings/authorise"),
    "holdings_compact.json": lambda world: world.raw("GET", "/portfolio/holdings/compact"),
    "holdings_summary.json": lambda world: world.raw("GET", "/portfolio/holdings/summary"),
}
"""Answers to calls that no SDK method makes."""

ELSEWHERE: dict[str, str] = {
    "postback.json": "what the exchange sends by itself: test_postbacks",
    "ticker_full.json": "what the SDK makes of a packet: test_packets",
    "ticker_full.packet": "a ticker packet: test_packets",
    "ticker_ltp.json": "what the SDK makes of a packet: test_packets",
    "ticker_quote.json": "what the SDK makes of a packet: test_packets",
    "ticker_quote.packet": "a ticker packet: test_packets",
}

OLD_RECORDING = "the mock was recorded in 2017, before orders had this field: orders.json has it"
DIFFERENCES: dict[tuple[str, str], str] = {
    **{
        ("order_info.json", f"[].{field}: not a field of theirs"): OLD_RECORDING
        for field in (
            "account_id", "exchange_update_timestamp", "guid", "market_protection", "meta", "status_message_raw",
            "tags", "validity_ttl",
        )
    },
    ("order_info.json", "[].tag: text is not theirs"): "the mock's order has no tag, ours has one",
    ("mf_orders.json", "[].folio: text is not theirs"): "no order of the mock was allotted units, one of ours was",
    ("mf_orders_info.json", ".quantity: not whole"): "units of a fund have three decimals, as in mf_holdings.json",
    ("mf_sip_info.json", ".step_up.15-02: missing"): "the SDK cannot ask for a step-up, so that no SIP here has one",
    ("mf_sips.json", "[].sip_reg_num: always null"): "only a SIP at the fund house itself (amc_sip) has a number there",
}  # fmt: skip
"""(file, difference) and why it is right so."""


def unexplained(name: str, found: list[str]) -> list[str]:
    """Give the differences of a file that nobody gave a reason for, and the reasons that are not needed any more."""
    explained = {difference for file, difference in DIFFERENCES if file == name}
    stale = [f"no longer so: {difference}" for difference in sorted(explained - set(found))]
    return [difference for difference in found if difference not in explained] + stale


@needs_mocks
def test_every_file_has_its_place() -> None:
    files = sorted(path.name for path in MOCKS.iterdir() if path.suffix in (".json", ".csv", ".packet"))

    assert sorted([*SDK, *RAW, *ELSEWHERE]) == files


@needs_mocks
@pytest.mark.parametrize("name", sorted(SDK))
async def test_the_answer_to_an_sdk_call_has_zerodhas_fields_and_types(name: str) -> None:
    method = SDK[name]
    async with serving() as served:
        world = World(served)
        await OTHER_CALLS.get(name, CALLS[method])(world, getattr(world.kite, method))

    if name.endswith(".csv"):
        theirs = next(csv.reader((MOCKS / name).read_text().splitlines()))
        assert next(csv.reader(world.answers[-1].text.splitlines())) == theirs
    else:
        assert unexplained(name, differences([mock_data(name)], [world.wire()])) == []


@needs_mocks
@pytest.mark.parametrize("name", sorted(RAW))
async def test_the_answer_to_a_raw_call_has_zerodhas_fields_and_types(name: str) -> None:
    async with serving() as served:
        world = World(served)
        answer = await RAW[name](world)

    assert unexplained(name, differences([mock_data(name)], [answer])) == []


@needs_mocks
def test_a_file_and_itself_have_no_differences_and_a_changed_field_is_one() -> None:
    theirs = mock_data("gtt_get_orders.json")
    changed = json.loads(json.dumps(theirs))
    changed[0]["id"] = "112127"
    del changed[1]["orders"][1]["result"]["triggered_at"]
    changed[1]["orders"][1]["result"]["own"] = 1

    assert differences([theirs], [theirs]) == []
    assert differences([theirs], [changed]) == [
        "[].id: text is not theirs",
        "[].orders[].result.triggered_at: missing",
        "[].orders[].result.own: not a field of theirs",
    ]
