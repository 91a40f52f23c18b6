"""Answers that no broker should give: an order is refused by a row of the table, or its fate is unknown."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.brokers.kite.conftest import ACCESS_TOKEN, API_KEY, HastyClock
from tests.mocks import MOCKS, needs_mocks
from trading.brokers.kite import parse
from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.errors import PLACING, Outcome
from trading.brokers.kite.wire import read_answer
from trading.domain.errors import BrokerAuthError, BrokerError, BrokerRejected, OrderOutcomeUnknown
from trading.domain.orders import OrderChange, OrderIntent, OrderStatus, OrderType

ANSWERS = 10_000
JSON, HTML = "application/json", "text/html"
STATUSES = (200, 201, 204, 301, 400, 403, 404, 405, 410, 428, 429, 500, 502, 503, 504, 520)
TYPES = (
    "InputException", "OrderException", "MarginException", "HoldingException", "TokenException", "TwoFAException",
    "PermissionException", "NetworkException", "DataException", "GeneralException", "UserException", "Nova", "",
    None, 7,
)  # fmt: skip
TEXTS = (
    "Insufficient funds.", "Too many requests", "Order request timed out.", "Invalid `price`.", "Something new",
    "Order could not be placed", "quantity should be", "", None, 12, {"text": "nested"}, "x" * 5000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**400,
    1e308,
    "",
    "251123",
    "\u0000",
    [],
    {},
    ["251123"],
    {"order_id": "1"},
    float("nan"),
)


class AnsweredWire:
    """In the place of the order wire: every call is answered by the next of the answers."""

    def __init__(self) -> None:
        self.answer: tuple[int, str, bytes] = (200, JSON, b"{}")

    async def _say(self, *_: Any) -> Any:
        return read_answer(*self.answer)

    place = modify = cancel = _say

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def wire() -> AnsweredWire:
    return AnsweredWire()


@pytest.fixture
async def broker(wire: AnsweredWire) -> AsyncIterator[KiteBroker]:
    made = KiteBroker(
        account="kite:AB1001",
        api_key=API_KEY,
        access_token=ACCESS_TOKEN,
        root="http://127.0.0.1:1",
        ws_root="ws://127.0.0.1:1",
        clock=HastyClock(),
    )
    real, made._order_wire = made._order_wire, wire  # type: ignore[assignment]
    yield made
    await real.close()
    await made.close()


def hostile(dice: random.Random) -> tuple[int, str, bytes]:
    """Give status, content type and body of one bad answer, or now and then of a good one."""
    body: dict[str, Any] = {"status": dice.choice(("success", "error", "", None, 3))}
    for name, values in (("error_type", TYPES), ("message", TEXTS), ("data", VALUES)):
        if dice.random() < 0.6:
            body[name] = dice.choice(values)
    if dice.random() < 0.3:
        body["data"] = {"order_id": dice.choice(VALUES)}
    text = json.dumps(dice.choice((body, [body], body, body, None, "text", 5))).encode()
    spoiled = dice.random()
    if spoiled < 0.1:
        text = text[: dice.randrange(len(text) + 1)]
    elif spoiled < 0.15:
        text = dice.randbytes(dice.randrange(200))
    elif spoiled < 0.16:
        text = b"[" * 100_000
    kind = dice.choice((JSON, JSON, JSON, JSON, HTML, "", "text/csv", "application/json; charset=utf-16"))
    return dice.choice(STATUSES), kind, text


def is_in_table(answer: tuple[int, str, bytes]) -> bool:
    """Say whether the answer is an error envelope that a row makes final, read with our own eyes."""
    status, kind, text = answer
    body = json.loads(text)
    assert "json" in kind
    assert isinstance(body, Mapping)
    words = str(body.get("message") or f"HTTP {status}").lower()
    rows = (row for row in PLACING if row.status in (None, status) and row.text in words)
    found = next(row for row in rows if row.error_type in (None, str(body.get("error_type") or "")))
    return found.outcome is not Outcome.UNKNOWN


@pytest.mark.proves("F14", "F33", "I19")
async def test_no_answer_makes_an_order_refused_but_by_a_row_of_the_table(
    broker: KiteBroker, wire: AnsweredWire, intent: OrderIntent, tally: Any
) -> None:
    dice, found = random.Random(33), Counter[str]()
    for _ in range(ANSWERS):
        wire.answer = hostile(dice)
        try:
            order_id = await broker.place(intent)
        except OrderOutcomeUnknown:
            found["unknown"] += 1
        except (BrokerRejected, BrokerAuthError):
            assert is_in_table(wire.answer)
            found["refused"] += 1
        else:
            assert json.loads(wire.answer[2])["data"]["order_id"] == order_id
            found["taken"] += 1

    tally.count(tried=ANSWERS, survived=sum(found.values()))
    assert min(found.values()) > 10, "each kind was met"
    assert found["unknown"] > ANSWERS / 2


@pytest.mark.proves("F33")
async def test_changes_and_cancels_raise_only_what_their_caller_knows(broker: KiteBroker, wire: AnsweredWire) -> None:
    dice, change = random.Random(34), OrderChange(OrderType.LIMIT, price=Decimal(100))
    for _ in range(1000):
        wire.answer = hostile(dice)
        for call in (broker.modify("7", change), broker.cancel("7")):
            try:
                await call
            except BrokerError:
                continue


@needs_mocks
@pytest.mark.parametrize("status", [200, 400, 502])
@pytest.mark.proves("F33")
async def test_whatever_recorded_body_answers_an_order_it_is_never_taken_for_a_refusal(
    broker: KiteBroker, wire: AnsweredWire, intent: OrderIntent, status: int
) -> None:
    bodies = sorted(path for path in MOCKS.iterdir() if path.suffix in (".json", ".csv", ".packet"))
    assert len(bodies) >= 60
    for path in bodies:
        wire.answer = (status, JSON, path.read_bytes())
        try:
            order_id = await broker.place(intent)
        except OrderOutcomeUnknown:
            continue
        assert status == 200
        assert json.loads(path.read_text())["data"]["order_id"] == order_id


def test_no_row_of_the_book_is_final_by_a_word_that_nobody_knows() -> None:
    dice = random.Random(35)
    base = {
        "order_id": "1", "tag": "T", "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY",
        "product": "MIS", "quantity": 10, "filled_quantity": 0, "average_price": 0, "status": "OPEN",
    }  # fmt: skip
    known = {"COMPLETE", "CANCELLED", "REJECTED"}
    read = 0
    for _ in range(ANSWERS):
        row = dict(base)
        for name in dice.sample(sorted(row), dice.randrange(3)):
            row[name] = dice.choice((*VALUES, "NOVA STATE", "complete", "CANCELLED BY NOVA"))
        try:
            order = parse.parse_order(row)
        except parse.ParseError:
            continue
        read += 1
        assert not order.status.is_final or row["status"] in known
        assert order.filled_quantity >= 0
    assert read > ANSWERS / 3
    assert OrderStatus.UNKNOWN.is_final is False


@pytest.mark.proves("F33")
@pytest.mark.parametrize(
    ("status", "kind", "text", "is_unreadable"),
    [
        (200, HTML, b"<html>maintenance</html>", True),
        (200, JSON, b'{"status": "success", "data": {"order', True),
        (200, JSON, b'{"status": "success"}', True),
        (200, JSON, b'{"status": "success", "data": {}}', True),
        (502, HTML, b"<html>Bad Gateway</html>", False),
        (500, JSON, b'{"status": "error", "message": "down", "error_type": "GeneralException"}', False),
    ],
)
async def test_a_success_that_nobody_understands_is_told_from_a_gateway_that_is_away(
    broker: KiteBroker,
    wire: AnsweredWire,
    intent: OrderIntent,
    status: int,
    kind: str,
    text: bytes,
    is_unreadable: bool,
) -> None:
    wire.answer = (status, kind, text)

    with pytest.raises(OrderOutcomeUnknown) as raised:
        await broker.place(intent)

    assert raised.value.is_unreadable is is_unreadable
