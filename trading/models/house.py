"""What exists once: the house's own state, and the venue this database belongs to."""

from typing import Any

from django.db import models
from django.utils import timezone

from trading.models.people import Control

ONLY_ROW = 1


class House(Control):
    """The one row that can stop everybody."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ROW, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY_ROW), name="house_is_one_row")]

    def __str__(self) -> str:
        return f"house {self.state}"


class Venue(models.Model):
    """Where this database's orders go: "live", or the id of one simulated exchange. Never changes."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ROW, editable=False)
    name = models.CharField(max_length=80)
    claimed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY_ROW), name="venue_is_one_row")]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: a database does not move to another venue."""
        raise TypeError("a database belongs to one venue for ever")
