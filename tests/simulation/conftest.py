"""Simulated days say nothing while they run; what comes after them in the same process speaks again."""

import logging
import warnings
from collections.abc import Iterator

import pytest

from trading.simulation.many import quiet


@pytest.fixture(autouse=True)
def _quiet_days() -> Iterator[None]:
    with warnings.catch_warnings():
        quiet()
        yield
    logging.disable(logging.NOTSET)
