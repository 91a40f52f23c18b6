"""Intent states move along one table; order messages merge whatever their order and number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import IllegalTransition
from trading.domain.orders import (
    NEXT_STATES,
    BrokerOrder,
    IntentState,
    OrderStatus,
    Side,
    check_transition,
    is_late_fill,
    is_stale_word,
    merge_order,
)

NINE = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)


def order(status: OrderStatus, filled: int = 0, *, second: int | None = 0) -> BrokerOrder:
    at = None if second is None else NINE + timedelta(seconds=second)
    return BrokerOrder(
        order_id="1",
        tag="TAG",
        status=status,
        instrument="NSE:INFY",
        side=Side.BUY,
        product="MIS",
        quantity=10,
        filled_quantity=filled,
        average_price=Decimal(100),
        updated_at=at,
    )


def told(messages: list[BrokerOrder]) -> BrokerOrder | None:
    known: BrokerOrder | None = None
    for heard in messages:
        known = merge_order(known, heard)
    return known


@pytest.mark.proves("I12")
def test_an_intent_moves_only_along_the_table() -> None:
    for present in IntentState:
        for wanted in IntentState:
            if wanted is present:
                assert check_transition(present, wanted) is False
            elif wanted in NEXT_STATES[present]:
                assert check_transition(present, wanted) is True
            else:
                with pytest.raises(IllegalTransition, match=f"{present} cannot become {wanted}"):
                    check_transition(present, wanted)


@pytest.mark.proves("I12")
def test_every_intent_state_has_a_row_and_no_way_leads_back_before_the_wire() -> None:
    assert set(NEXT_STATES) == set(IntentState)
    after_sending = {IntentState.ACKED, IntentState.ADOPTED, IntentState.IN_DOUBT, IntentState.ABSENT}
    for state in after_sending:
        assert not NEXT_STATES[state] & {IntentState.NEW, IntentState.SENDING, IntentState.DENIED}


messages = st.lists(
    st.builds(
        order,
        st.sampled_from(OrderStatus),
        st.integers(0, 10),
        second=st.none() | st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.proves("F26", "I10", "I12")
@given(messages, st.data())
def test_any_order_of_messages_with_duplicates_gives_the_same_belief(
    heard: list[BrokerOrder], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(heard + data.draw(st.lists(st.sampled_from(heard), max_size=8))))

    assert told(shuffled) == told(heard)


@pytest.mark.proves("I12")
@given(messages)
def test_filled_quantity_never_falls_and_a_final_order_leaves_only_by_more_fills(heard: list[BrokerOrder]) -> None:
    known = heard[0]
    for message in heard[1:]:
        believed = merge_order(known, message)
        assert believed.filled_quantity >= known.filled_quantity
        if known.status.is_final and believed.filled_quantity == known.filled_quantity:
            assert believed.status.is_final
        known = believed


@pytest.mark.proves("F26", "I12")
def test_an_update_that_arrives_after_the_final_one_is_stale() -> None:
    complete, partly = order(OrderStatus.COMPLETE, 10, second=2), order(OrderStatus.OPEN, 4, second=9)

    assert is_stale_word(partly, known=complete)
    assert is_stale_word(complete, known=complete)
    assert not is_stale_word(complete, known=partly)
    assert not is_stale_word(partly, known=None)


@pytest.mark.proves("F24", "I12")
def test_a_fill_after_a_cancel_is_adopted_and_named_late() -> None:
    cancelled, filled = order(OrderStatus.CANCELLED, 3, second=5), order(OrderStatus.COMPLETE, 10, second=65)

    assert merge_order(cancelled, filled) is filled
    assert is_late_fill(filled, known=cancelled)
    assert not is_late_fill(cancelled, known=filled)
    assert not is_late_fill(filled, known=order(OrderStatus.OPEN, 3))
    assert not is_late_fill(filled, known=None)


def test_of_two_live_messages_the_later_stamp_counts_and_then_the_further_state() -> None:
    modified = replace(order(OrderStatus.OPEN, second=8), quantity=7)

    assert told([modified, order(OrderStatus.OPEN, second=4)]) is modified
    assert told([order(OrderStatus.OPEN), order(OrderStatus.PENDING)]) == order(OrderStatus.OPEN)
    assert told([order(OrderStatus.PENDING, second=None), order(OrderStatus.OPEN)]) == order(OrderStatus.OPEN)
