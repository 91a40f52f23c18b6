"""Whether the channels would work now, tried without telling anybody anything."""

import logging
import shlex
import shutil
from datetime import timedelta

from django.conf import settings
from django.core.mail import get_connection

from algosystem.redaction import redact
from trading.ports import Clock
from trading.services.alarms.channels import MAIL_STEP_S
from trading.services.events import market_now
from trading.stores import alarms, heartbeats

logger = logging.getLogger(__name__)

PROBES_PART = "channel:"
"""Rows of the table of signs of life that keep what a probe found: `detail` is the error, empty when it works."""
SAID_AGAIN = timedelta(hours=1)


def probe_mail() -> str:
    """Sign in at the mail server and leave; gives the error, empty when it works. In the demo mail goes to the log."""
    if settings.IS_DEMO:
        return ""
    connection = get_connection(timeout=MAIL_STEP_S)
    try:
        connection.open()
        connection.close()
    except Exception as error:  # whatever the library raises: no mail would leave
        return redact(f"{type(error).__name__}: {error}")[:150]
    return ""


def probe_program() -> str:
    """See that the program can be run; gives the error."""
    words = shlex.split(settings.ALARM_PROGRAM)
    return "" if words and shutil.which(words[0]) else "the program of ALARM_PROGRAM cannot be run"


def probe_channels(clock: Clock) -> dict[str, str]:
    """Try every channel, keep what was found for the pages, and alarm for one that does not work; gives the errors."""
    found = {"mail": probe_mail()}
    if settings.ALARM_PROGRAM:
        found["program"] = probe_program()
    wall = clock.wall()
    for name, error in found.items():
        heartbeats.beat(f"{PROBES_PART}{name}", wall=wall, detail=error)
        if error:
            text = f"alarms do not leave by {name}: {error}"
            alarms.record(None, "CHANNEL_FAILED", text, at=market_now(clock), wall=wall, unless_within=SAID_AGAIN)
            logger.error("%s", text)
    return found
