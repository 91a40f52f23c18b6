"""The outbox's sender: takes what is due, sends all of it at once, and notes what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.models import Channel
from trading.ports import Clock
from trading.services.alarms.channels import CHANNELS, SENDS_WITHIN_S, Send, Sending
from trading.services.alarms.message import message_of
from trading.stores import alarms


@dataclass(frozen=True, slots=True)
class _UnderWay:
    delivery_id: int
    count: int
    too_late_at: float
    sending: Sending


class Sender:
    """One sender of one process; several may run, since each row is claimed first. A step never waits for a channel."""

    def __init__(self, clock: Clock, channels: Mapping[Channel, Send] = CHANNELS) -> None:
        self._clock = clock
        self._channels = channels
        self._under_way: list[_UnderWay] = []

    def step(self) -> int:
        """Note what ended, and send what is due; gives how many messages are known to be delivered."""
        delivered = self._settle()
        clock = self._clock
        for row in alarms.due(clock.wall(), channels=list(self._channels)):
            if alarms.claim(row, clock.wall()):
                message, channel = message_of(row.alarm), Channel(row.channel)
                sending = Sending(channel, self._channels[channel], row.recipient, message)
                too_late_at = clock.monotonic() + SENDS_WITHIN_S
                self._under_way.append(_UnderWay(row.pk, message.count, too_late_at, sending))
        return delivered

    @property
    def is_sending(self) -> bool:
        """True while something is under way: look again soon."""
        return bool(self._under_way)

    def wait(self, seconds: float) -> None:
        """Wait so long for each message under way."""
        for one in self._under_way:
            one.sending.wait(seconds)

    def _settle(self) -> int:
        now, wall, delivered, still = self._clock.monotonic(), self._clock.wall(), 0, []
        for one in self._under_way:
            if not one.sending.is_over and now < one.too_late_at:
                still.append(one)
            elif one.sending.error is None:
                delivered += 1
                alarms.sent(one.delivery_id, one.count, wall)
            else:
                alarms.failed(one.delivery_id, one.sending.error, wall)
        self._under_way = still
        return delivered
