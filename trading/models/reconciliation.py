"""Ours beside the broker's: the newest picture of each account, and where the broker's word was adopted."""

from django.db import models
from django.utils import timezone

from trading.domain.adoption import Adoption
from trading.models.accounts import BrokerAccount
from trading.models.fields import money


class ReconcileState(models.Model):
    """One account on one day as the engine last compared it. `picture` is JSON (see `engine.picture`)."""

    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="reconciliations")
    day = models.DateField()
    picture = models.JSONField()
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="one_reconciliation_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"


class AdoptionRow(models.Model):
    """From `at` (market time) a position is `net_quantity` units, whatever the fills before it say."""

    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="adoptions")
    day = models.DateField()
    key = models.CharField(max_length=160, help_text="what makes it happen once")
    instrument = models.CharField(max_length=80, help_text="EXCHANGE:TRADINGSYMBOL")
    product = models.CharField(max_length=10)
    net_quantity = models.IntegerField(help_text="signed units")
    bought = models.PositiveIntegerField(null=True, blank=True, help_text="the broker's units of the day")
    sold = models.PositiveIntegerField(null=True, blank=True, help_text="the broker's units of the day")
    price = money()
    at = models.DateTimeField(help_text="market time")
    cause = models.CharField(max_length=40)
    by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "adoption"
        indexes = [models.Index(fields=["day", "account"], name="adoption_by_day")]
        constraints = [
            models.UniqueConstraint(fields=["account", "day", "key"], name="adopted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.product} adopted as {self.net_quantity:+d}"

    def to_adoption(self) -> Adoption:
        """Give the value the domain works with."""
        return Adoption(
            key=self.key,
            instrument=self.instrument,
            product=self.product,
            net_quantity=self.net_quantity,
            bought=self.bought,
            sold=self.sold,
            price=self.price,
            at=self.at,
            cause=self.cause,
            by=self.by,
        )
