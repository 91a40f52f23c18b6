"""Alarms, the outbox by which they reach people, and the signs of life of every part."""

from django.db import models
from django.utils import timezone

from trading.domain.alarms import AlarmKind, Severity, kind_of
from trading.models.fields import choices_of
from trading.models.people import Client, User


class Channel(models.TextChoices):
    """How an alarm reaches a person."""

    PAGE = "page"
    MAIL = "mail"
    PROGRAM = "program"


class DeliveryState(models.TextChoices):
    """How far one message is. FAILED is tried again; GIVEN_UP only when the alarm comes again."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    GIVEN_UP = "given_up", "given up"


class Alarm(models.Model):
    """Something a person must know: one row a client, code, cause and day, counted up when it comes again.

    `client` None is the house. `cause` is the text without its bare numbers. Of a critical one `undelivered_since` is
    the wall time from which nobody has been told of it, `entries_stopped_at` when that stopped entries.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True, blank=True, related_name="alarms")
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=choices_of(Severity), default=Severity.CRITICAL)
    text = models.CharField(max_length=400)
    cause = models.CharField(max_length=400, blank=True, default="")
    count = models.PositiveIntegerField(default=1)
    day = models.DateField()
    raised_at = models.DateTimeField(help_text="market time, first")
    last_at = models.DateTimeField(help_text="market time, latest")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    repeated_at = models.DateTimeField(null=True, blank=True, help_text="wall time, latest")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="wall time, first acknowledged")
    undelivered_since = models.DateTimeField(null=True, blank=True, help_text="wall time")
    entries_stopped_at = models.DateTimeField(null=True, blank=True, help_text="wall time")

    class Meta:
        indexes = [models.Index(fields=["day", "client"], name="alarm_by_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "client", "code", "cause"],
                condition=models.Q(client__isnull=False) & ~models.Q(cause=""),
                name="one_alarm_a_cause",
            ),
            models.UniqueConstraint(
                fields=["day", "code", "cause"],
                condition=models.Q(client__isnull=True) & ~models.Q(cause=""),
                name="one_alarm_a_cause_of_house",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"

    @property
    def kind(self) -> AlarmKind:
        """Give what its code means."""
        return kind_of(self.code)


class AlarmDelivery(models.Model):
    """One alarm on its way by one channel to one recipient. Times are wall times.

    `told_count` is the alarm's count when it was last told; while it is less, the row is not SENT. `user` is set where
    the recipient is a person who signs in; on the page it is who must acknowledge, at `acknowledged_at`.
    """

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    recipient = models.CharField(max_length=254, help_text="an address, or the name of what is told")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    tries = models.PositiveIntegerField(default=0)
    told_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["state", "next_try_at"], name="delivery_due")]
        constraints = [
            models.UniqueConstraint(fields=["alarm", "channel", "recipient"], name="one_delivery_a_recipient"),
        ]

    def __str__(self) -> str:
        return f"alarm {self.alarm_id} by {self.channel} to {self.recipient}: {self.state}"


class Heartbeat(models.Model):
    """The sign of life of one part. Observers judge by how long *they* saw `counter` stand still, never by the time."""

    part = models.CharField(max_length=20, unique=True)
    counter = models.PositiveBigIntegerField(default=0)
    beat_at = models.DateTimeField(help_text="wall time, for people")
    is_stopped = models.BooleanField(default=False, help_text="ended by itself: its silence is no alarm")
    detail = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.part} {self.counter}"
