"""What tells others that this machine lives, and what asks whether tasks still come through."""

import http.client
import logging
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from trading.services.background import ask_worker

logger = logging.getLogger(__name__)

PING_WITHIN_S = 5.0
CANARY_EXPIRES_S = 60


def touch_sign(folder: Path, role: str) -> None:
    """Touch a file that a watchdog of the machine can look at: it grows old when this process does not live."""
    sign = folder / "run" / f"alive-{role}"
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.touch(mode=0o600)


def ping_outside() -> bool:
    """Call the outside watcher (a dead man's switch), when one is named; False when it did not answer with 2xx.

    The address is the operator's, from the environment; no redirect is followed and no credentials are sent.
    """
    if not settings.ALARM_PING_URL:
        return False
    place = urlsplit(settings.ALARM_PING_URL)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.netloc, timeout=PING_WITHIN_S)
    try:
        connection.request("GET", f"{place.path or '/'}{f'?{place.query}' if place.query else ''}")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        logger.warning("the outside watcher was not reached: %s", type(error).__name__)
        return False
    finally:
        connection.close()
    if status // 100 != 2:
        logger.warning("the outside watcher answered %s", status)
    return status // 100 == 2


def ask_canary() -> bool:
    """Send a task through the queue; its heartbeat tells that Redis and the worker still carry tasks."""
    return ask_worker("canary", expires_s=CANARY_EXPIRES_S)
