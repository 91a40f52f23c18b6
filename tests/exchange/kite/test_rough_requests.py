"""Requests as no SDK sends them: every one gets an answer in Kite's shape, and none breaks the exchange."""

import gzip
from typing import Any

import pytest
import requests

from tests.exchange.fakes import INFY
from tests.exchange.kite.served import Served, serving

FORM = "application/x-www-form-urlencoded"
ORDER = {"exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "1", "product": "MIS"}
LIMIT = ORDER | {"order_type": "LIMIT", "price": "1490", "validity": "DAY"}


async def ask(served: Served, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
    """Send one request of AB1001 as it stands."""
    kite = served.kite()
    signed = {"Authorization": f"token {kite.api_key}:{kite.access_token}"} | (headers or {})
    return await served.call(requests.request, method, f"{served.rest}{path}", headers=signed, timeout=30, **more)


@pytest.mark.parametrize("path", ["/orders/regular", "/gtt/triggers", "/alerts", "/mf/orders", "/session/token"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"exchange=%ff%fe&tradingsymbol=\xff\xfe"),
        (f"{FORM}; charset=nonsense", b"exchange=NSE"),
        ("multipart/form-data", b"exchange=NSE"),
    ],
)
async def test_a_form_that_is_no_text_is_an_input_exception(path: str, kind: str, body: bytes) -> None:
    async with serving() as served:
        answer = await ask(served, "POST", path, headers={"Content-Type": kind}, data=body)

    assert answer.status_code in (400, 403)
    assert answer.json()["error_type"] in ("InputException", "TokenException")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json; charset=nonsense", b"[{}]"),
        ("application/json", b"\xff"),
        ("application/json", b'[{"price": 1e99999999999999999999}]'),
        ("application/json", b"[" * 100_000),
    ],
)
async def test_a_list_of_orders_that_is_no_json_is_an_input_exception(kind: str, body: bytes) -> None:
    async with serving() as served:
        answer = await ask(served, "POST", "/margins/orders", headers={"Content-Type": kind}, data=body)

    assert (answer.status_code, answer.json()["error_type"]) == (400, "InputException")
    assert answer.json()["message"].startswith("Invalid")


async def test_a_condition_with_an_endless_number_is_an_input_exception() -> None:
    form = {"type": "single", "condition": '{"last_price": 1e99999999999999999999}', "orders": "[]"}
    async with serving() as served:
        answer = await ask(served, "POST", "/gtt/triggers", data=form)

    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid `condition`. It should be JSON.")


@pytest.mark.parametrize("token", ["9" * 5000, "٤٠٨٠٦٥", "-408065", "408065.0"])
async def test_a_token_is_plain_digits_and_any_other_is_unknown(token: str) -> None:
    async with serving() as served:
        prices = await ask(served, "GET", "/quote/ltp", params={"i": token})
        candles = await ask(
            served,
            "GET",
            f"/instruments/historical/{token}/minute",
            params={"from": "2026-11-20", "to": "2026-11-20"},
        )

    assert (prices.status_code, prices.json()["data"]) == (200, {})
    assert (candles.status_code, candles.json()["message"]) == (400, "invalid token")


async def test_content_types_are_the_brokers_to_the_letter() -> None:
    async with serving() as served:
        kinds = [
            (await ask(served, "GET", path)).headers["Content-Type"]
            for path in ("/orders", "/nowhere", "/instruments", "/mf/instruments")
        ]

    assert kinds == ["application/json", "application/json", "text/csv", "text/csv"]


async def test_the_instrument_dump_is_gzip_whatever_is_accepted() -> None:
    async with serving() as served:
        answer = await ask(served, "GET", "/instruments", headers={"Accept-Encoding": "identity"}, stream=True)
        raw = answer.raw.read(decode_content=False)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw).startswith(b"instrument_token,")


async def test_a_wrong_method_is_405_and_says_which_are_right() -> None:
    async with serving() as served:
        answer = await ask(served, "PATCH", "/orders")

    assert (answer.status_code, answer.json()["error_type"]) == (405, "GeneralException")
    assert answer.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize(
    "header",
    ["", "token", "token simkeyab1001", "token simkeyab1001:", "Bearer x", "token :", "token a:b:c"],
)
async def test_any_other_authorization_is_a_dead_token(header: str) -> None:
    async with serving() as served:
        answer = await ask(served, "GET", "/orders", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["error_type"]) == (403, "TokenException")


async def test_empty_unknown_and_doubled_fields_of_an_order() -> None:
    form = [*LIMIT.items(), ("trigger_price", ""), ("disclosed_quantity", ""), ("colour", "red"), ("quantity", "5")]
    async with serving() as served:
        answer = await ask(served, "POST", "/orders/regular", data=form)
        (row,) = (await ask(served, "GET", "/orders", params={"colour": "red"})).json()["data"]

    assert answer.status_code == 200
    assert (row["quantity"], row["trigger_price"], row["tag"]) == (5, 0, None)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream"])
async def test_an_order_that_is_no_form_has_no_fields(kind: str) -> None:
    async with serving() as served:
        body = '{"exchange": "NSE"}'
        answer = await ask(served, "POST", "/orders/regular", headers={"Content-Type": kind}, data=body)

    assert (answer.status_code, answer.json()["message"]) == (400, "Missing or empty field `exchange`")


async def test_a_giant_body_is_refused_before_it_is_read() -> None:
    async with serving() as served:
        answer = await ask(served, "POST", "/orders/regular", data=LIMIT | {"tag": "a" * 3_000_000})

        assert (answer.status_code, answer.json()["status"]) == (413, "error")
        assert served.desk.venue.books.orders == {}


async def test_python_and_json_booleans_mean_the_same() -> None:
    order = ORDER | {"variety": "regular", "order_type": "MARKET", "quantity": 10}
    totals = set()
    async with serving() as served:
        for text in ("True", "true", "1"):
            query = {"consider_positions": text, "mode": "compact"}
            answer = await ask(served, "POST", "/margins/basket", params=query, json=[order])
            totals.add((answer.status_code, answer.json()["data"]["final"]["total"]))
        odd = await ask(served, "POST", "/margins/basket", params={"consider_positions": "maybe"}, json=[order])

    assert len(totals) == 1
    assert odd.json()["message"] == "Invalid `consider_positions`."


async def test_quotes_by_key_and_by_token_in_one_request() -> None:
    async with serving() as served:
        answer = await ask(served, "GET", "/quote/ltp", params={"i": ["NSE:INFY", str(INFY.token), "INFY"]})

    assert set(answer.json()["data"]) == {"NSE:INFY", str(INFY.token)}
