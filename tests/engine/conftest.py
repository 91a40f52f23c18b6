"""One stage a test, taken down cleanly."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    await made.stop()
