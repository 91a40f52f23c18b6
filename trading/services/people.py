"""People: who signs up, and how far a client has come on the way to the first trading day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from trading.domain.errors import RiskDenied
from trading.models import BrokerAccount, Client, ClientMode, User, WatchItem
from trading.ports import Clock
from trading.services import limits, schedule
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist. `state` is done, next or later; `url_name` is where it is carried out."""

    key: str
    title: str
    text: str
    action: str
    url_name: str
    state: str


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The whole checklist. The client trades only when it is finished."""

    steps: tuple[Step, ...]

    @property
    def done_count(self) -> int:
        """How many steps are behind the client."""
        return sum(step.state == "done" for step in self.steps)

    @property
    def is_finished(self) -> bool:
        """True once the client has started."""
        return self.done_count == len(self.steps)

    @property
    def next_step(self) -> Step | None:
        """The one next action; None when nothing is left."""
        return next((step for step in self.steps if step.state == "next"), None)


STEPS = (
    ("verify", "Confirm your address", "So that codes and alarms reach you.", "Confirm", "account_email"),
    ("broker", "Connect your broker", "Your API key, then the broker's own sign-in page.", "Connect", "broker-connect"),
    (
        "limits",
        "Set your limits",
        "What a day may cost, and what the kill switch does.",
        "Set limits",
        "settings-limits",
    ),
    ("instruments", "Choose instruments", "What the ladder may trade for you.", "Choose", "watchlist"),
)
"""Key, title, text, action, and the page where it is done."""
LAST_STEPS = {
    "live": ("Start live", "Real money moves from then on. To try it first, use a paper installation."),
    "paper": ("Start on paper", "Real prices, no real money. Going live is a separate step."),
    "demo": ("Start on paper", "No real money moves. Going live is a separate step."),
}
"""Title and text by venue."""


def create_client(*, user: User, phone: str = "") -> Client:
    """Make the trading side of a new user. Safe to call twice."""
    with transaction.atomic():
        if phone and user.phone != phone:
            user.phone = phone
            user.save(update_fields=["phone"])
        client, _ = Client.objects.get_or_create(user=user)
    return client


def enrol(email: str, password: str, *, is_operator: bool = False) -> User:
    """Make a person whose address counts as confirmed, with a client unless an operator. For set-up and the demo."""
    with transaction.atomic():
        user = User.objects.create_user(email, password, is_operator=is_operator, is_staff=is_operator)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        if not is_operator:
            create_client(user=user)
    return user


def onboarding(client: Client) -> Onboarding:
    """Say which steps a client has taken, and which is next."""
    done = {
        "verify": EmailAddress.objects.filter(user=client.user, verified=True).exists(),
        "broker": BrokerAccount.objects.filter(owner=client.user, is_enabled=True).exclude(key="").exists(),
        "limits": client.limits_confirmed_at is not None,
        "instruments": WatchItem.objects.filter(client=client).exists(),
        "paper": client.onboarded_at is not None,
    }
    last = ("paper", *LAST_STEPS[settings.ALGO_VENUE], "Start", "onboarding")
    first_open = next((key for key in done if not done[key]), None)
    return Onboarding(
        tuple(
            Step(key, title, text, action, url_name, "done" if done[key] else "next" if key == first_open else "later")
            for key, title, text, action, url_name in (*STEPS, last)
        )
    )


def start_trading(client: Client, *, by: User, clock: Clock) -> None:
    """Let the ladder trade this client from now on, on paper unless this installation is live. Safe to run twice.

    Raises RiskDenied (ONBOARDING_INCOMPLETE) while an earlier step is open.
    """
    missing = [step.title for step in onboarding(client).steps if step.key != "paper" and step.state != "done"]
    if missing:
        raise RiskDenied("ONBOARDING_INCOMPLETE", f"before starting: {', '.join(missing)}")
    with transaction.atomic():
        is_live = settings.ALGO_VENUE == "live"
        mode = ClientMode.LIVE if is_live else ClientMode.PAPER
        is_first = Client.objects.filter(pk=client.pk, onboarded_at=None).update(onboarded_at=clock.wall(), mode=mode)
        client.refresh_from_db()
        schedule.put_client_entry(client, market_now(clock))
        if is_first:
            record(client.pk, "STARTED_LIVE" if is_live else "STARTED_ON_PAPER", {"by": actor(by)}, clock=clock)
            request_reload(client, by=by, clock=clock)


def set_limits(client: Client, values: Mapping[str, Any], *, by: User, clock: Clock) -> Client:
    """Save a client's limits and times, and the square-off entry that follows from them. Raises LimitsRefused."""
    with transaction.atomic():
        row = limits.save_limits(client, values, by=by, clock=clock)
        schedule.put_client_entry(row, market_now(clock))
    return row


def landing_name(user: object) -> str:
    """Name the page a visitor sees first: the landing page, the checklist, the desk or the operator's board."""
    if not isinstance(user, User):
        return "home"
    client = Client.objects.filter(user=user).first()
    if client is None:
        return "operator" if user.is_operator else "settings"
    return "dashboard" if client.onboarded_at else "onboarding"
