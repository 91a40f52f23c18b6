"""How long answers, messages and screens take: distributions by seed, what is refused, and what the screens show."""

import pytest

from tests.exchange.fakes import INFY, Desk, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.conversions import ConversionRequest
from trading.exchange.venue.latency import KINDS, TYPICAL, Delay, Latency
from trading.exchange.venue.transit import HOLDS_AT_MOST_S, Transit

DRAWS = 4000


def drawn(delay: Delay, seed: str = "exchange-a") -> list[float]:
    latency = Latency(seed, {"ack": delay})
    return sorted(latency.draw("ack", number) for number in range(DRAWS))


@pytest.mark.parametrize("kind", KINDS)
def test_draws_have_the_median_and_the_99th_percentile_that_were_set(kind: str) -> None:
    delay = TYPICAL[kind]

    draws = drawn(delay)

    assert draws[DRAWS // 2] == pytest.approx(delay.median_s, rel=0.1)
    assert draws[DRAWS * 99 // 100] == pytest.approx(delay.p99_s, rel=0.2)
    assert draws[-1] <= delay.longest_s


def test_a_fixed_delay_is_the_same_for_all() -> None:
    assert set(drawn(Delay(3.0, 3.0))) == {3.0}


def test_the_same_seed_and_event_give_the_same_delay_and_another_seed_another() -> None:
    assert drawn(Delay(0.1, 1.0)) == drawn(Delay(0.1, 1.0))
    assert drawn(Delay(0.1, 1.0)) != drawn(Delay(0.1, 1.0), "exchange-b")


@pytest.mark.parametrize(
    ("wish", "sheet"),
    [
        ("typical", {kind: TYPICAL[kind].sheet() for kind in KINDS}),
        (None, {}),
        ({"book": {"fixed_s": 5}, "ack": None}, {"update": {"fixed_s": 1.0}, "book": {"fixed_s": 5.0}}),
        ({"ack": {"median_s": 0.1, "p99_s": 2}}, {"ack": {"median_s": 0.1, "p99_s": 2.0}, "update": {"fixed_s": 1.0}}),
    ],
)
def test_what_is_set_is_answered_and_what_is_not_named_stays(wish: object, sheet: object) -> None:
    behaviour = Desk().venue.behaviour
    behaviour.set({"latency": {"ack": {"fixed_s": 2}, "update": {"fixed_s": 1}}})

    assert behaviour.set({"latency": wish})["latency"] == sheet


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("slow", "latency must be 'typical', null, or an object of 'ack', 'update', 'book', 'positions', was 'slow'"),
        ({"acks": {"fixed_s": 1}}, "latency must name 'ack', 'update', 'book', 'positions', was 'acks'"),
        ({"ack": 3}, "latency of ack must be .* was 3"),
        ({"ack": {"fixed_s": -1}}, "latency of ack must be"),
        ({"ack": {"fixed_s": 601}}, "up to 600"),
        ({"ack": {"fixed_s": True}}, "latency of ack must be"),
        ({"ack": {"median_s": 0, "p99_s": 1}}, "with 0 < median_s <= p99_s"),
        ({"ack": {"median_s": 2, "p99_s": 1}}, "with 0 < median_s <= p99_s"),
        ({"ack": {"median_s": 2}}, "latency of ack must be"),
        ({"ack": {"median_s": 1, "p99_s": float("nan")}}, "latency of ack must be"),
    ],
)
def test_a_bad_latency_is_refused_in_one_sentence_and_changes_nothing(wish: object, sentence: str) -> None:
    behaviour = Desk().venue.behaviour
    before = behaviour.set({"latency": "typical"})

    with pytest.raises(ValueError, match=sentence):
        behaviour.set({"latency": wish, "book_lag_s": 4})
    assert behaviour.set({}) == before


def test_the_book_shows_an_order_and_each_state_when_its_own_delay_is_over() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"latency": {"book": {"fixed_s": 2}}})
    desk.trade(limit(Side.BUY, 10, 1490, tag="A"))
    states: list[list[tuple[str, int]]] = []

    def look() -> None:
        states.append([(state.status.value, state.filled) for _, state in desk.venue.reads.orders("AB1001")])

    look()
    desk.times.wire_s += 1.5
    desk.tick(quote_of(INFY, 1489))
    desk.times.wire_s += 1
    look()
    trades = desk.venue.reads.trades("AB1001")
    desk.times.wire_s += 1
    look()

    assert states == [[], [("OPEN", 0)], [("COMPLETE", 10)]]
    assert trades == []
    assert len(desk.venue.reads.trades("AB1001")) == 1


def test_positions_are_late_by_their_own_delay() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"latency": {"positions": {"fixed_s": 3}}})
    desk.trade(order(quantity=10))
    shown = []
    for wait in (0, 2, 2):
        desk.times.wire_s += wait
        shown.append([one.net_quantity for one in desk.venue.reads.positions("AB1001")])

    assert [state.status.value for _, state in desk.venue.reads.orders("AB1001")] == ["COMPLETE"]
    assert shown == [[], [], [10]]


def test_a_conversion_shows_no_sooner_than_the_fill_that_it_converts() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"latency": {"positions": {"fixed_s": 3}}})
    desk.trade(order(quantity=10))
    wish = ConversionRequest(INFY, Side.BUY, is_overnight=False, quantity=10, old_product="MIS", new_product="CNC")
    desk.venue.convert("AB1001", wish)
    at_once = desk.venue.reads.positions("AB1001")
    desk.times.wire_s += 3

    assert at_once == []
    assert {one.product: one.net_quantity for one in desk.venue.reads.positions("AB1001")} == {"MIS": 0, "CNC": 10}


def test_a_late_screen_holds_the_market_but_no_longer_than_a_silent_participant() -> None:
    desk = Desk()
    transit = desk.venue.transit
    desk.venue.behaviour.set({"latency": {"book": {"fixed_s": 2}, "positions": {"fixed_s": 90}}})
    desk.trade(limit(Side.BUY, 10, 1490))
    nothing_told = transit.left_s()
    desk.tick(quote_of(INFY, 1489))
    at_once = transit.left_s()
    desk.times.wire_s += HOLDS_AT_MOST_S

    assert (nothing_told, at_once, transit.left_s()) == (0.0, HOLDS_AT_MOST_S, 0.0)


def test_what_has_arrived_holds_the_market_no_more() -> None:
    transit = Transit(lambda: 100.0)
    first, second = transit.begin(2), transit.begin(1)

    transit.end(first)
    left = transit.left_s()
    transit.end(second)

    assert (left, transit.left_s()) == (1.0, 0.0)
