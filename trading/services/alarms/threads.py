"""The threads that carry alarms: in the strategy process, its standby and the web process.

Threads, because nothing here may ever keep the engine's loop waiting, and because the loop may be what has stopped.
Not Celery and not a process of its own: an alarm of the engine must leave when Redis and the worker are dead, and
another process would be one more part that could be dead. One thread for signs of life and what they say, one that
sends what the database has, one that needs no database, one that asks the world outside: none waits for another.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from trading.ports import Clock
from trading.services.alarms.direct import AddressBook, DirectAlarms
from trading.services.alarms.machine import ClockWatch, DiskWatch, clock_offset
from trading.services.alarms.outside import ask_canary, ping_outside, touch_sign
from trading.services.alarms.post import Sender
from trading.services.alarms.probes import probe_channels
from trading.services.alarms.spool import Spool
from trading.services.alarms.stopping import UndeliveredWatch
from trading.services.alarms.watch import PartWatch, SeenPart
from trading.services.build import build_words
from trading.services.events import market_now
from trading.services.mail import send_waiting
from trading.stores import heartbeats

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.5
DATABASE_AWAY_AFTER_S = 15.0
"""The engine itself is quicker; this is for a machine on which nothing was to be stored just then."""
ENDS_WITHIN_S = 2.0


@dataclass
class Duty:
    """Something to do every so often, in wire seconds. `due` is when it is next."""

    every_s: float
    run: Callable[[], object]
    due: float = float("-inf")


class Rounds:
    """One thread that goes round its duties. One that fails is logged and keeps the others waiting for nothing."""

    def __init__(
        self, name: str, clock: Clock, duties: Sequence[Duty], at_end: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self.last_good = clock.monotonic()
        self._clock = clock
        self.at_end = at_end
        self._duties = duties
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Have everything done at once."""
        for duty in self._duties:
            duty.due = float("-inf")
        self._wake.set()

    def end(self) -> None:
        """Begin to end."""
        self._is_over = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait so long for the end; what hangs is left to die with the process."""
        if self._thread.is_alive():
            self._thread.join(max(0.0, seconds))

    def go_round(self) -> None:
        """Do what is due, once."""
        for duty in self._duties:
            now = self._clock.monotonic()
            if now < duty.due or self._is_over:
                continue
            duty.due = now + duty.every_s
            try:
                duty.run()
                self.last_good = self._clock.monotonic()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("%s: the database did not answer: %s", self.name, error)
                connection.close()
            except Exception:
                logger.exception("a duty of %s failed", self.name)

    def _go(self) -> None:
        try:
            while not self._is_over:
                self._wake.wait(LOOKS_EVERY_S)
                self._wake.clear()
                self.go_round()
            self.at_end()
        except (DatabaseError, InterfaceError) as error:
            logger.info("the end of %s was not stored: %s", self.name, error)
        finally:
            connection.close()


class AlarmThreads:
    """Everything about alarms in one process. `role` is the part that it is; see `watch.PARTS`.

    The engine's loop calls `turn`: a loop that stands still gives no sign of life, however well the threads go on.
    """

    def __init__(self, role: str, clock: Clock, *, has_loop: bool) -> None:
        self._role = role
        self._clock = clock
        self._turns = 0 if has_loop else None
        self._beaten = -1
        self._is_told_away = False
        self.watch = PartWatch(clock, own=role)
        self.direct = DirectAlarms(clock, Spool(Path(settings.STATE_DIR)))
        self._life = Rounds("alarm life", clock, self._life_duties(), self._say_end)
        self._sender = Sender(clock)
        self._post = Rounds("alarm post", clock, [Duty(LOOKS_EVERY_S, self._sender.step)])
        self._direct = Rounds("alarm direct", clock, [Duty(0.0, self._direct_step)])
        self.all_rounds = (self._life, self._post, self._direct, Rounds("alarm outside", clock, self._outside_duties()))

    def _life_duties(self) -> list[Duty]:
        undelivered = UndeliveredWatch(self._clock)
        disk = DiskWatch(self._clock, Path(settings.STATE_DIR))
        return [
            Duty(1.0, self._beat),
            Duty(1.0, self.watch.look),
            Duty(2.0, undelivered.look),
            Duty(5.0, self._come_home),
            Duty(30.0, disk.look),
        ]

    def _outside_duties(self) -> list[Duty]:
        duties = [
            Duty(5.0, lambda: send_waiting(self._clock)),
            Duty(30.0, partial(touch_sign, Path(settings.STATE_DIR), self._role)),
            Duty(30.0, ping_outside),
        ]
        if self._role != "engine":
            duties += [Duty(30.0, ask_canary), Duty(300.0, lambda: probe_channels(self._clock))]
        if not settings.IS_DEMO:
            watch = ClockWatch(self._clock, lambda: clock_offset(settings.KITE_ROOT, self._clock))
            duties += [Duty(1.0, watch.look_inside), Duty(60.0, watch.look_outside)]
        return duties

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; call it once Django is set up."""
        for rounds in self.all_rounds:
            rounds.start()

    def stop(self) -> None:
        """Say that this part ends as it was asked to, and end."""
        deadline = self._clock.monotonic() + ENDS_WITHIN_S
        for rounds in self.all_rounds:
            rounds.end()
        for rounds in self.all_rounds:
            rounds.join(deadline - self._clock.monotonic())

    def turn(self) -> None:
        """Say that the process's own loop goes on."""
        if self._turns is not None:
            self._turns += 1

    def wait_for_sends(self, seconds: float) -> None:
        """Wait so long for each message under way."""
        self._sender.wait(seconds)
        self.direct.wait(seconds)

    # -- ports.AlarmPost -----------------------------------------------------------------------------------------

    def stored(self) -> None:
        """Send what was just committed."""
        self._post.wake()

    def directly(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        """Keep an alarm on disk and tell people without the database."""
        self.direct.tell(client_id, code, text, at)
        self._direct.wake()

    # -- duties --------------------------------------------------------------------------------------------------

    def seen(self) -> list[SeenPart]:
        """Give every part as this process sees it. Raises DatabaseError."""
        return self.watch.observe(heartbeats.all_beats())

    def _beat(self) -> None:
        if self._turns is None or self._turns != self._beaten:
            self._beaten = self._turns if self._turns is not None else self._beaten
            heartbeats.beat(self._role, wall=self._clock.wall(), detail=build_words())

    def _say_end(self) -> None:
        heartbeats.stopped(self._role, wall=self._clock.wall())

    def _come_home(self) -> None:
        self.direct.book = AddressBook.read()
        self.direct.bring_home()

    def _direct_step(self) -> None:
        away_s = self._clock.monotonic() - self._life.last_good
        if away_s < DATABASE_AWAY_AFTER_S:
            self._is_told_away = False
        elif not self._is_told_away:
            self._is_told_away = True
            text = f"the database has not answered the {self._role} for {away_s:.0f} s"
            self.direct.tell(None, "DATABASE_AWAY", text, market_now(self._clock))
        self.direct.step()
