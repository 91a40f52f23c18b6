"""A list that is read again: rows that say the same are the same objects, and nothing else is."""

from typing import Any

import pytest

from trading.brokers.kite import parse
from trading.brokers.kite.rereading import Rereading


def row(order_id: str, **changes: Any) -> dict[str, Any]:
    """Give an order's row with one unit of it open."""
    return {
        "order_id": order_id, "tag": "ABCDEFGH234567", "status": "OPEN", "exchange": "NSE", "tradingsymbol": "INFY",
        "transaction_type": "BUY", "product": "MIS", "quantity": 1, "filled_quantity": 0, "average_price": 0,
        **changes,
    }  # fmt: skip


def test_a_row_that_says_the_same_gives_the_same_object() -> None:
    read = Rereading(parse.parse_order)

    (before,) = read([row("1")])
    (again, new) = read([row("1"), row("2")])

    assert again is before
    assert new.order_id == "2"


@pytest.mark.parametrize(
    "changes", [{"filled_quantity": 1}, {"status": "COMPLETE"}, {"average_price": 1487.35}, {"order_id": "3"}]
)
def test_a_row_that_changed_is_read_anew(changes: dict[str, Any]) -> None:
    read = Rereading(parse.parse_order)
    read([row("1")])

    assert read([row("1") | changes]) == [parse.parse_order(row("1") | changes)]


def test_rows_that_changed_places_are_each_what_they_say() -> None:
    read = Rereading(parse.parse_order)
    read([row("1"), row("2")])

    assert [order.order_id for order in read([row("2"), row("1")])] == ["2", "1"]


def test_a_shorter_answer_is_a_shorter_list() -> None:
    read = Rereading(parse.parse_order)
    read([row("1"), row("2")])

    assert [order.order_id for order in read([row("1")])] == ["1"]
    assert read([]) == []


def test_a_row_that_only_python_takes_for_the_same_cannot_be_read() -> None:
    read = Rereading(parse.parse_order)
    read([row("1")])

    with pytest.raises(parse.ParseError):
        read([row("1", quantity=True)])


def test_an_answer_that_cannot_be_read_is_not_remembered() -> None:
    read = Rereading(parse.parse_order)
    (before,) = read([row("1")])
    for _ in range(2):
        with pytest.raises(parse.ParseError):
            read([row("1"), row("2", product="??")])

    assert read([row("1")])[0] is before
