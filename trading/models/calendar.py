"""The operator's additions to the market calendar that ships with the product (`domain/calendar.py`)."""

from django.db import models
from django.utils import timezone

from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import Phase
from trading.models.fields import choices_of
from trading.models.people import User


class OperatorRow(models.Model):
    """Who added a row, and when (wall time)."""

    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class OperatorYear(OperatorRow):
    """A year whose holiday list the operator has completed; an unknown year is closed for entries."""

    year = models.PositiveSmallIntegerField(unique=True)

    def __str__(self) -> str:
        return str(self.year)


class OperatorDay(OperatorRow):
    """A day that is closed, or open on a weekend, although the shipped calendar says otherwise."""

    day = models.DateField(unique=True)
    is_open = models.BooleanField(default=False)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class OperatorSession(OperatorRow):
    """One phase of one instrument class while the row is in force. Times are IST, `valid_to` is the last day.

    A special row replaces all rows of its class on its one day; another replaces the shipped row of its phase.
    """

    instrument_class = models.CharField(max_length=20, choices=choices_of(InstrumentClass))
    phase = models.CharField(max_length=20, choices=choices_of(Phase))
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    start = models.TimeField()
    end = models.TimeField()
    order_types = models.CharField(max_length=60, blank=True, default="", help_text="words, spaces between")
    is_special = models.BooleanField(default=False)
    source = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["valid_from", "start"]
        constraints = [
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="session_ends_later"),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gte=models.F("valid_from")),
                name="session_validity_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(is_special=False) | models.Q(valid_to=models.F("valid_from")),
                name="special_session_is_one_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from} {self.instrument_class} {self.phase} {self.start}-{self.end}"
