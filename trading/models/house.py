"""What exists once: the house's own state, and the venue this database belongs to."""

from typing import Any

from django.db import models
from django.utils import timezone

from trading.domain.caps import HouseCaps
from trading.models.fields import money
from trading.models.people import Control

ONLY_ROW = 1


class House(Control):
    """The one row that can stop everybody, with the caps that bound every client (domain/caps.py).

    A cap is never empty: who wants a wider one writes a greater number.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ROW, editable=False)
    cap_order_value = money(default=HouseCaps().order_value)
    cap_order_quantity = models.PositiveIntegerField(default=HouseCaps().order_quantity)
    cap_collar_percent = models.DecimalField(max_digits=5, decimal_places=2, default=HouseCaps().collar_percent)
    cap_trades_a_day = models.PositiveIntegerField(default=HouseCaps().trades_a_day)
    cap_open_positions = models.PositiveIntegerField(default=HouseCaps().open_positions)
    cap_entries_a_ladder = models.PositiveIntegerField(default=HouseCaps().entries_a_ladder)
    cap_same_side_entries = models.PositiveIntegerField(default=HouseCaps().same_side_entries)
    cap_same_side_seconds = models.PositiveIntegerField(default=HouseCaps().same_side_seconds)
    needs_algo_id = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY_ROW), name="house_is_one_row")]

    def __str__(self) -> str:
        return f"house {self.state}"

    def caps(self) -> HouseCaps:
        """Give the caps as the gate reads them."""
        return HouseCaps(
            order_value=self.cap_order_value,
            order_quantity=self.cap_order_quantity,
            collar_percent=self.cap_collar_percent,
            trades_a_day=self.cap_trades_a_day,
            open_positions=self.cap_open_positions,
            entries_a_ladder=self.cap_entries_a_ladder,
            same_side_entries=self.cap_same_side_entries,
            same_side_seconds=self.cap_same_side_seconds,
            needs_algo_id=self.needs_algo_id,
        )


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
