"""Who notices that a part fell silent, that the clock is wrong, that the disk is full."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.wire import WireClock
from trading.domain.control import TradingState
from trading.models import Alarm, Client, House
from trading.services.alarms.machine import FULL_BYTES, LOW_BYTES, ClockWatch, DiskWatch, surely_off
from trading.services.alarms.watch import PARTS, PartWatch
from trading.stores import heartbeats

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


def codes() -> list[str]:
    """Give the codes of all alarms, in the order in which they came first."""
    return list(Alarm.objects.order_by("pk").values_list("code", flat=True))


def lives(clock: WireClock, seconds: int, watch: PartWatch, *parts: str) -> None:
    """Let these parts give signs of life for so long while the watch looks."""
    for _ in range(seconds):
        for part in parts:
            heartbeats.beat(part, wall=clock.wall())
        watch.look()
        clock.pass_(1)


@pytest.mark.proves("F47", "I18")
def test_an_engine_that_falls_silent_is_an_alarm_after_five_seconds_of_observation(clock: WireClock) -> None:
    watch = PartWatch(clock, own="standby")
    lives(clock, 3, watch, "engine")

    lives(clock, 4, watch)
    assert codes() == []
    lives(clock, 2, watch)
    assert codes() == ["ENGINE_SILENT"]
    assert Alarm.objects.get().severity == "critical"


def test_one_silence_is_told_once_however_many_watch_it(clock: WireClock) -> None:
    standby, web = PartWatch(clock, own="standby"), PartWatch(clock, own="web")
    for _ in range(3):
        heartbeats.beat("engine", wall=clock.wall())
        standby.look()
        web.look()
        clock.pass_(1)
    for _ in range(60):
        standby.look()
        web.look()
        clock.pass_(1)

    assert Alarm.objects.get().count == 1


def test_a_part_that_comes_back_and_falls_silent_again_is_told_again(clock: WireClock) -> None:
    watch = PartWatch(clock, own="standby")
    for _ in range(2):
        lives(clock, 3, watch, "engine")
        lives(clock, 400, watch)

    assert Alarm.objects.get().count == 2


def test_the_wall_clock_does_not_decide_about_silence(clock: WireClock) -> None:
    watch = PartWatch(clock, own="standby")
    lives(clock, 3, watch, "engine")
    clock.step_wall(3600)

    lives(clock, 2, watch)  # between two signs of life
    lives(clock, 3, watch, "engine")

    assert codes() == []


def test_a_part_that_was_stopped_or_not_seen_yet_is_no_alarm(clock: WireClock) -> None:
    heartbeats.beat("ticker", wall=clock.wall())  # of an earlier life
    watch = PartWatch(clock, own="standby")
    lives(clock, 3, watch, "engine", "beat")
    heartbeats.stopped("engine", wall=clock.wall())
    heartbeats.stopped("beat", wall=clock.wall())

    lives(clock, 60, watch)
    assert codes() == []
    lives(clock, 60, watch)
    assert codes() == ["TICKER_SILENT"]  # it never came


def test_nobody_tells_of_oneself(clock: WireClock) -> None:
    watch = PartWatch(clock, own="engine")
    lives(clock, 3, watch, "engine")

    lives(clock, 200, watch)

    assert codes() == []


@pytest.mark.proves("F53")
def test_every_part_is_watched(clock: WireClock) -> None:
    watch = PartWatch(clock, own="nobody")
    lives(clock, 3, watch, *PARTS)
    lives(clock, 120, watch)

    assert sorted(codes()) == sorted(rule.code for rule in PARTS.values())


NOON = datetime(2026, 11, 23, 6, 30, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked_s", "took_s", "off_s"),
    [(0.0, 0.1, 0.0), (0.9, 0.1, 0.0), (-0.5, 1.0, 0.0), (4.0, 0.2, 3.0), (-7.2, 0.2, -7.0), (301.0, 0.5, 300.0)],
)
def test_the_clock_is_off_by_what_neither_whole_seconds_nor_the_way_explain(
    asked_s: float, took_s: float, off_s: float
) -> None:
    asked = NOON + timedelta(seconds=asked_s)

    found = surely_off("Mon, 23 Nov 2026 06:30:00 GMT", asked=asked, answered=asked + timedelta(seconds=took_s))

    assert found == pytest.approx(off_s)


@pytest.mark.parametrize("said", [None, "", "yesterday", "Mon, 23 Nov 2026 06:30:00"])
def test_a_server_that_tells_no_time_says_nothing_of_the_clock(said: str | None) -> None:
    assert surely_off(said, asked=NOON, answered=NOON) is None


@pytest.mark.proves("F58")
def test_two_seconds_are_an_alarm_and_five_twice_switch_entries_off(clock: WireClock, alice: Client) -> None:
    offsets = iter([2.5, 5.5, None, 0.0, 6.0, 6.0])
    watch = ClockWatch(clock, lambda: next(offsets))

    watch.look_outside()
    assert codes() == ["CLOCK_OFF"]
    for _ in range(4):
        watch.look_outside()
    assert not House.objects.filter(state=TradingState.REDUCING).exists()
    watch.look_outside()

    assert codes() == ["CLOCK_OFF", "CLOCK_WRONG"]
    assert House.objects.get().state == TradingState.REDUCING
    assert House.objects.get().state_reason == "entries are off: the clock is 6.0 s ahead of the broker's"


@pytest.mark.parametrize("step_s", [300, -300])
@pytest.mark.proves("F58")
def test_a_step_of_the_wall_clock_is_seen_without_a_network_and_switches_entries_off(
    clock: WireClock, step_s: int
) -> None:
    watch = ClockWatch(clock, lambda: None)
    for _ in range(5):
        clock.pass_(1)
        assert watch.look_inside() == pytest.approx(0)

    clock.step_wall(step_s)
    watch.look_inside()
    clock.pass_(1)
    watch.look_inside()

    assert codes() == ["CLOCK_WRONG"]
    assert House.objects.get().state == TradingState.REDUCING


@pytest.mark.proves("F42")
def test_a_disk_that_fills_up_is_told_before_and_the_reserve_is_freed(clock: WireClock, tmp_path: Path) -> None:
    free = [LOW_BYTES + 1]
    watch = DiskWatch(clock, tmp_path, lambda _: free[0])
    watch.look()
    assert codes() == []
    assert (tmp_path / "reserve").stat().st_size == 16 << 20

    free[0] = LOW_BYTES - 1
    watch.look()
    assert codes() == ["DISK_LOW"]
    assert (tmp_path / "reserve").exists()

    free[0] = FULL_BYTES - 1
    watch.look()
    assert codes() == ["DISK_LOW", "DISK_FULL"]
    assert not (tmp_path / "reserve").exists()
