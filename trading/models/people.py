"""Who signs in, and what a client allows."""

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils import timezone

from trading.domain.control import TradingState, strictest
from trading.models.fields import choices_of, money

LIMITS: dict[str, Callable[[str], Decimal | int]] = {
    "daily_loss_limit": Decimal,
    "daily_profit_limit": Decimal,
    "max_order_value": Decimal,
    "max_order_quantity": int,
    "price_collar_percent": Decimal,
    "max_trades_per_day": int,
    "max_open_positions": int,
    "max_entries_per_ladder": int,
}
"""A client's limits that a raise makes wider only from the next market day on, and how each is read from text."""


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail; addresses are kept in lower case."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person who signs in with this address. A None password cannot be used to sign in."""
        if not email:
            raise ValueError("email was empty")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator who may also use Django's own administration."""
        return self.create_user(
            email, password, **{"is_staff": True, "is_superuser": True, "is_operator": True, **fields}
        )

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail, whatever its case."""
        return self.get(email=(username or "").lower())


class User(AbstractUser):
    """A person, known by e-mail. `is_operator` sees all clients and may stop the house."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=20, blank=True, default="")
    is_operator = models.BooleanField(default=False)
    mails_warnings = models.BooleanField(default=True, help_text="critical alarms are mailed in any case")
    alarm_sound = models.BooleanField(default=False, help_text="pages sound when a critical alarm comes")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the address in lower case, so that one person cannot sign up twice."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)


class ClientMode(models.TextChoices):
    """Where a client's orders may go."""

    PAPER = "paper"
    LIVE = "live"


class Control(models.Model):
    """The trading state of a client or of the house, and its latch.

    `state` is what holds until a person raises it. A latch (a limit was reached) holds only on
    `latched_day`, the market day on which it was made; the stricter of the two counts.
    """

    state = models.CharField(max_length=8, choices=choices_of(TradingState), default=TradingState.ACTIVE)
    state_reason = models.CharField(max_length=200, blank=True, default="")
    state_changed_at = models.DateTimeField(null=True, blank=True, help_text="wall time")
    latched_day = models.DateField(null=True, blank=True)
    latched_state = models.CharField(max_length=8, choices=choices_of(TradingState), default=TradingState.ACTIVE)
    latched_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    def state_on(self, day: date) -> TradingState:
        """Give the state that counts on a market day."""
        state = TradingState(self.state)
        return strictest(state, TradingState(self.latched_state)) if self.latched_day == day else state

    def latched_reason_on(self, day: date) -> str:
        """Say why it is latched on a market day; empty when it is not."""
        return self.latched_reason if self.latched_day == day else ""


class Client(Control):
    """One trading customer. Limits are rupees or counts a day; None means no limit. Times are IST.

    What counts on a day says `limits_on`: the columns, and what of `raises` (`{name: {"to", "from"}}`) has begun.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="client")
    mode = models.CharField(max_length=5, choices=ClientMode.choices, default=ClientMode.PAPER)
    squares_off_on_kill = models.BooleanField(default=True)
    daily_loss_limit = money(null=True, blank=True)
    daily_profit_limit = money(null=True, blank=True)
    max_open_positions = models.PositiveIntegerField(null=True, blank=True)
    max_trades_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_order_value = money(null=True, blank=True)
    max_order_quantity = models.PositiveIntegerField(null=True, blank=True)
    max_entries_per_ladder = models.PositiveIntegerField(null=True, blank=True)
    price_collar_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    disaster_stop_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="a stop at the exchange, beyond the ladder's"
    )
    raises = models.JSONField(default=dict, blank=True, help_text="wider limits that wait for the next market day")
    square_off_at = models.TimeField(default=time(15, 15))
    no_new_entry_after = models.TimeField(default=time(15, 0))
    limits_confirmed_at = models.DateTimeField(null=True, blank=True)
    onboarded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.label

    def limits_on(self, day: date) -> dict[str, Any]:
        """Give each limit of LIMITS as it counts on a market day: a raise counts from the day it names on."""
        found: dict[str, Any] = {name: getattr(self, name) for name in LIMITS}
        for name, raised in self.raises.items():
            if date.fromisoformat(raised["from"]) <= day:
                found[name] = None if raised["to"] is None else LIMITS[name](raised["to"])
        return found

    @property
    def label(self) -> str:
        """Give the name for screens and logs: the e-mail address."""
        return self.user.email
