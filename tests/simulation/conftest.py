"""Simulated days in the suite: they say nothing while they run."""

import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.thousand import IS_OVER, SAID, folder_of
from trading.simulation.many import quiet

WAITS_S = 60 * 60.0
"""Seconds that whoever comes last waits for the days."""
LOOKS_EVERY_S = 0.2


@pytest.fixture(autouse=True)
def _quiet_days() -> Iterator[None]:
    """Let a day say nothing; what comes after it in the same process speaks again."""
    with warnings.catch_warnings():
        quiet()
        yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def thousand_days(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Give what came of the thousand days."""
    folder = folder_of(pytestconfig)
    until = time.monotonic() + WAITS_S
    while not (folder / IS_OVER).exists():
        assert time.monotonic() < until, f"the simulated days were not over within {WAITS_S:.0f} s"
        time.sleep(LOOKS_EVERY_S)
    lines = (folder / SAID).read_text().splitlines()
    assert lines, f"the simulated days ended with {(folder / IS_OVER).read_text().strip()} and said nothing"
    sys.stdout.write("\n".join(lines[:-1]))  # which seeds failed, and how to play them again
    found: dict[str, Any] = json.loads(lines[-1])
    return found
