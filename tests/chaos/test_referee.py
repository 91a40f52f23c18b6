"""What the referee of the real processes calls wrong."""

from tests.chaos.referee import LOOKS, lasting


def test_what_is_wrong_at_every_look_is_told_as_it_was_at_the_last() -> None:
    looks = [["I9: a fill is missing"], ["I9: a fill is missing"], ["I9: two fills are missing"]]
    settled: list[int] = []

    found = lasting(lambda: looks[len(settled) - 1], lambda: settled.append(1), again_after_s=0.0)

    assert len(settled) == len(looks) == LOOKS
    assert found == ["I9: two fills are missing"]


def test_what_is_gone_at_a_later_look_was_on_its_way() -> None:
    looks = iter([["I9: a fill is missing"], []])

    assert lasting(lambda: next(looks), lambda: None, again_after_s=0.0) == []
