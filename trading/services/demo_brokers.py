"""The simulated exchange's users that nobody has connected yet. Demo and paper only."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from trading.models import BrokerAccount, BrokerName

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class DemoBrokerUser:
    """What a person would know of their own account at a real broker."""

    user_id: str
    password: str
    api_key: str
    api_secret: str
    totp: str


def free_users() -> list[DemoBrokerUser]:
    """List the users without an account row here. Raises OSError when the exchange does not answer."""
    broker = BrokerName.PAPER if settings.IS_PAPER else BrokerName.KITE
    taken = set(BrokerAccount.objects.filter(broker=broker).exclude(key="").values_list("broker_user_id", flat=True))
    return [user for user in _all_users() if user.user_id not in taken]


def _all_users() -> list[DemoBrokerUser]:
    control = settings.PAPER_CONTROL_URL if settings.IS_PAPER else settings.ALGO_CONTROL_URL
    url = f"{control.rstrip('/')}/users"
    if not url.startswith("http://"):
        raise OSError("no simulated exchange is configured")
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:  # noqa: S310 (scheme checked above)
        rows: Any = json.load(reply)["users"]
    names = ("user_id", "password", "api_key", "api_secret", "totp")
    return [DemoBrokerUser(*(str(row[name]) for name in names)) for row in rows]
