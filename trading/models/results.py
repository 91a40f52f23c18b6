"""What came of it: P&L over the day, and the report of a day."""

from django.db import models
from django.utils import timezone

from trading.models.fields import money
from trading.models.people import Client


class PnlPoint(models.Model):
    """A client's P&L at one market minute, rupees before charges."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="pnl_points")
    at = models.DateTimeField(help_text="market time")
    realised_pnl = money()
    unrealised_pnl = money()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["client", "at"], name="one_pnl_point_a_minute")]

    def __str__(self) -> str:
        return f"{self.client} {self.at} {self.realised_pnl}/{self.unrealised_pnl}"


class DayReport(models.Model):
    """The end-of-day report of one client. `data` is JSON with money as strings."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="reports")
    day = models.DateField()
    data = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "day"], name="one_report_a_day")]

    def __str__(self) -> str:
        return f"{self.client} {self.day}"
