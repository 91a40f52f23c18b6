"""The ticker's connection, each scene in a process of its own (ticker_scenes.py)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trading.domain.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
NIFTY, SENSEX, INFY, SBIN = 256265, 265, 408065, 779521


def play(scene: str) -> dict[str, Any]:
    """Give what one scene saw; its process must end by itself and in order."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.brokers.kite.ticker_scenes", scene],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "tokenofop" not in run.stdout + run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def test_ticks_come_in_full_mode_and_a_changed_wish_sends_only_the_difference() -> None:
    seen = play("ticks")

    assert seen["said"] == [
        {"a": "subscribe", "v": [NIFTY, INFY]},
        {"a": "mode", "v": ["full", [NIFTY, INFY]]},
        {"a": "subscribe", "v": [SBIN]},
        {"a": "mode", "v": ["full", [SBIN]]},
        {"a": "unsubscribe", "v": [INFY]},
    ]
    assert seen["prices"] == [259_000_500, 259_001_000]
    assert (seen["ready"], seen["connected_after"]) == (True, False)


@pytest.mark.proves("F08")
def test_a_lost_connection_is_made_again_subscribed_once_and_counted_anew() -> None:
    seen = play("reconnects")

    assert seen["said"] == [{"a": "subscribe", "v": [NIFTY]}, {"a": "mode", "v": ["full", [NIFTY]]}] * 2
    assert (seen["frames"], seen["connection"]) == (1, 2)


@pytest.mark.proves("F08", "F55")
def test_a_silent_socket_is_given_up_again_and_again() -> None:
    assert play("silence")["connections"] == 3


@pytest.mark.proves("F08")
def test_an_instrument_that_sends_nothing_is_subscribed_again_until_it_does() -> None:
    seen = play("half_subscribed")

    both, missing = sorted([SENSEX, NIFTY]), [SENSEX]
    assert seen["said"] == [
        {"a": "subscribe", "v": both},
        {"a": "mode", "v": ["full", both]},
        {"a": "subscribe", "v": missing},
        {"a": "mode", "v": ["full", missing]},
    ]
    assert (seen["unheard"], seen["left"]) == (missing, [])


@pytest.mark.proves("F08", "F31")
def test_a_refused_login_stops_at_once_and_asks_for_a_login() -> None:
    assert play("forbidden") == {"error": "the ticker refused the login", "connections": 1}


@pytest.mark.proves("F08")
def test_one_socket_too_many_is_tried_until_there_is_room() -> None:
    assert play("overcrowded")["prices"] == [10_000]


def test_a_process_with_another_reactor_is_told_so() -> None:
    code = (
        "from twisted.internet import reactor\n"
        "from trading.brokers.kite.reactor import run_with_reactor\n"
        "async def main(): pass\n"
        "run_with_reactor(main())\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )

    assert run.returncode == 1
    assert ConfigurationError.__name__ in run.stderr
    assert "another Twisted reactor is installed" in run.stderr
