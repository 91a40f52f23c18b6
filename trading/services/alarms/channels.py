"""The ways out: mail, and a program of the operator's own. Each send has one deadline over all, not one a read.

The program is named by the environment only (`ALARM_PROGRAM`), never on a page: whoever can set it may run programs
here anyway, and no address that a user typed is ever called.
"""

import logging
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ClassVar

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from algosystem.redaction import redact
from trading.models import Channel
from trading.services.alarms.message import Message

logger = logging.getLogger(__name__)
mailbox_in_the_log = logging.getLogger("trading.demo_mail")

MAIL_STEP_S = 4.0
"""The most that one answer of the mail server may take; the deadline over all is the sender's."""
SENDS_WITHIN_S = 8.0
MOST_AT_ONCE = 8
PROGRAM_SEES = ("PATH", "HOME", "LANG", "TZ")
"""What the program gets of this process's environment, which holds keys and passwords."""

Send = Callable[[str, Message], None]


class ChannelFailed(Exception):
    """A message did not leave; the words say why, without secrets."""


def send_mail(recipient: str, message: Message) -> None:
    """Send one mail by the server of the settings. In the demo it goes to the log and leaves nothing."""
    if settings.IS_DEMO:
        mailbox_in_the_log.info("mail to=%s subject=%r text=%r", recipient, message.subject, message.body)
        return
    connection = get_connection(timeout=MAIL_STEP_S)
    EmailMessage(message.subject, message.body, to=[recipient], connection=connection).send()


def run_program(_recipient: str, message: Message) -> None:
    """Give one line of JSON to the operator's program on its standard input; exit code 0 means delivered."""
    words = shlex.split(settings.ALARM_PROGRAM)
    environment = {name: os.environ[name] for name in PROGRAM_SEES if name in os.environ}
    with subprocess.Popen(  # noqa: S603 (the operator's own program, from the environment)
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
        text=True,
    ) as program:
        try:
            _, errors = program.communicate(message.as_json + "\n", timeout=SENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            raise ChannelFailed(f"the program did not end within {SENDS_WITHIN_S:g} s") from None
    if program.returncode:
        raise ChannelFailed(f"the program ended with {program.returncode}: {errors.strip()[-150:]}")


CHANNELS: Mapping[Channel, Send] = {Channel.MAIL: send_mail, Channel.PROGRAM: run_program}


class Sending:
    """One message on its way, in a thread of its own: neither a channel that hangs nor its sender waits for it.

    A thread that is too late ends by itself, when its channel gives up; until then it counts towards MOST_AT_ONCE of
    that channel. `error` is None once the message was delivered.
    """

    _alive: ClassVar[dict[Channel, threading.BoundedSemaphore]] = {
        channel: threading.BoundedSemaphore(MOST_AT_ONCE) for channel in Channel
    }

    def __init__(self, channel: Channel, send: Send, recipient: str, message: Message) -> None:
        self.error: str | None = f"no answer within {SENDS_WITHIN_S:g} s"
        self._place = Sending._alive[channel]
        self._arguments = (send, recipient, message)
        self._over = threading.Event()
        if self._place.acquire(blocking=False):
            threading.Thread(target=self._run, name=f"alarm {channel}", daemon=True).start()
        else:
            self.error = f"{MOST_AT_ONCE} messages hang in this channel"
            self._over.set()

    @property
    def is_over(self) -> bool:
        """Say whether it is known what came of it."""
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it did not come within so many seconds."""
        return self._over.wait(seconds)

    def _run(self) -> None:
        send, recipient, message = self._arguments
        try:
            send(recipient, message)
            self.error = None
        except Exception as error:  # whatever a library raises: the message did not leave
            self.error = redact(f"{type(error).__name__}: {error}")
            logger.warning("an alarm did not leave: %s", self.error)
        finally:
            self._place.release()
            self._over.set()
