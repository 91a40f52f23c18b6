"""Ports at whose other end nobody is on a simulated day."""

from collections.abc import Mapping
from typing import Any


class Silence:
    """Implements `ports.LivePublisher`: no page listens."""

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        """Forget it."""


class NoHistory:
    """Implements `ports.PriceHistory`: nobody asks, ranges come with the plans."""

    async def candles(self, *_: object) -> list[Any]:
        """Give none."""
        return []

    async def close(self) -> None:
        """Nothing is open."""
