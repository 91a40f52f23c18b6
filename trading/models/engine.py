"""What the engine keeps: ladders, leases, and the commands it is given."""

from django.db import models
from django.utils import timezone

from trading.domain.control import CommandKind, KillPath
from trading.models.accounts import BrokerAccount
from trading.models.fields import choices_of
from trading.models.people import Client, User


class LadderState(models.Model):
    """The ladder of one account and instrument on one day; `snapshot` is the ladder's own."""

    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="ladders")
    instrument = models.CharField(max_length=80, help_text="EXCHANGE:TRADINGSYMBOL")
    day = models.DateField()
    snapshot = models.JSONField()
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument", "day"], name="one_ladder_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.instrument} {self.day}"


class LadderStop(models.Model):
    """A ladder that repeated itself too often enters nothing until a person lets it go on; the row then stays.

    `stopped_at`, `allowed_at` and `allowed_day` are market time.
    """

    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="ladder_stops")
    instrument = models.CharField(max_length=80, help_text="EXCHANGE:TRADINGSYMBOL")
    reason = models.CharField(max_length=200)
    stopped_at = models.DateTimeField()
    allowed_at = models.DateTimeField(null=True, blank=True)
    allowed_day = models.DateField(null=True, blank=True, db_index=True)
    allowed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "instrument"],
                condition=models.Q(allowed_at=None),
                name="a_ladder_is_stopped_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.instrument}: {self.reason}"


class Lease(models.Model):
    """Who may speak for a shard's accounts. Observers judge the holder by `counter` alone, never by the times."""

    shard = models.CharField(max_length=40, unique=True)
    epoch = models.PositiveIntegerField(default=1)
    holder = models.CharField(max_length=80, blank=True, default="", help_text="empty when released")
    counter = models.PositiveBigIntegerField(default=1)
    acquired_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.shard} epoch {self.epoch} held by {self.holder or 'nobody'}"


class CommandRow(models.Model):
    """One thing asked of the engine. `client` None is the whole house.

    `once_key` makes a command happen once: the scheduled square-off has one a client and day.
    `asked_at` is market time, the others wall time.
    """

    kind = models.CharField(max_length=20, choices=choices_of(CommandKind))
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, blank=True, related_name="commands")
    day = models.DateField()
    arguments = models.JSONField(default=dict, blank=True)
    once_key = models.CharField(max_length=80, blank=True, default="")
    path = models.CharField(max_length=10, choices=choices_of(KillPath), blank=True, default="", help_text="of a kill")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)
    result = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "command"
        constraints = [
            models.UniqueConstraint(fields=["once_key"], condition=~models.Q(once_key=""), name="command_happens_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.client or 'the house'}"
