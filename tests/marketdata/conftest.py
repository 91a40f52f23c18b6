"""An asynchronous client of the test's Redis."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from trading.marketdata.bus import connect


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    """Give an asynchronous client of the test's Redis."""
    async_client: Any = connect(redis_url)
    yield async_client
    await async_client.aclose()
