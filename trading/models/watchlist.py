"""What a client watches, and what of it the ladder trades."""

from django.db import models

from trading.models.accounts import BrokerAccount
from trading.models.fields import money
from trading.models.instruments import InstrumentRow
from trading.models.people import Client
from trading.models.strategies import AccountStrategy


class QuantityMode(models.TextChoices):
    """How much an entry buys or sells."""

    FIXED = "fixed", "Fixed quantity"
    CAPITAL = "capital", "By capital"


class WatchItem(models.Model):
    """One line of a client's watchlist. `quantity` is units, `capital` rupees; the mode says which counts.

    `config` holds what differs from the strategy's configuration (spec: ladder configuration table).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="watch_items")
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="watch_items")
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT, related_name="watch_items")
    mapping = models.ForeignKey(
        AccountStrategy, on_delete=models.SET_NULL, null=True, blank=True, related_name="watch_items"
    )
    quantity_mode = models.CharField(max_length=7, choices=QuantityMode.choices, default=QuantityMode.FIXED)
    quantity = models.PositiveIntegerField(null=True, blank=True)
    capital = money(null=True, blank=True)
    config = models.JSONField(default=dict, blank=True)
    trades_enabled = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0, help_text="place in the list")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="instrument_once_an_account"),
            models.CheckConstraint(
                condition=models.Q(quantity_mode="fixed", quantity__gt=0)
                | models.Q(quantity_mode="capital", capital__gt=0)
                | models.Q(trades_enabled=False),
                name="traded_item_has_a_size",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client}: {self.instrument}"
