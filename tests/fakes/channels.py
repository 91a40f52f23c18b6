"""Alarm channels that keep what they are given, can be dead, and can hang."""

import threading

from trading.models import Channel
from trading.services.alarms.message import Message


class FakeChannel:
    """Keeps (recipient, message). Dead it refuses; hanging it waits until `let_go`."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Message]] = []
        self.tried = 0
        self.is_dead = False
        self.hangs = False
        self._go = threading.Event()

    def __call__(self, recipient: str, message: Message) -> None:
        self.tried += 1
        if self.hangs:
            self._go.wait(20)
        if self.is_dead:
            raise ConnectionRefusedError("password=hunter2hunter2 was refused")
        self.kept.append((recipient, message))

    def let_go(self) -> None:
        """End the hanging."""
        self.hangs = False
        self._go.set()

    def to(self, recipient: str) -> list[Message]:
        """Give what one recipient got."""
        return [message for who, message in self.kept if who == recipient]


class Channels:
    """Mail and program together, as the sender takes them."""

    def __init__(self) -> None:
        self.mail, self.program = FakeChannel(), FakeChannel()

    @property
    def ways(self) -> dict[Channel, FakeChannel]:
        """Give them by channel."""
        return {Channel.MAIL: self.mail, Channel.PROGRAM: self.program}
