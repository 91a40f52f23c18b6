"""Strategies, and which account runs which with how much."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from trading.models.accounts import BrokerAccount
from trading.models.people import User

PERCENT = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]


class StrategyKind(models.TextChoices):
    """What decides."""

    LADDER = "ladder", "810/910 ladder"


class Strategy(models.Model):
    """A named configuration. `config` holds only what differs from the kind's defaults."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="strategies")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=StrategyKind.choices, default=StrategyKind.LADDER)
    config = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "strategies"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="strategy_names_differ")]

    def __str__(self) -> str:
        return self.name


class AccountStrategy(models.Model):
    """Maps a strategy to an account: share of its capital, and risk a trade, both in percent."""

    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="mappings")
    strategy = models.ForeignKey(Strategy, on_delete=models.CASCADE, related_name="mappings")
    allocation_percent = models.DecimalField(max_digits=5, decimal_places=2, default=100, validators=PERCENT)
    risk_per_trade_percent = models.DecimalField(max_digits=5, decimal_places=2, default=1, validators=PERCENT)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "account strategies"
        constraints = [
            models.UniqueConstraint(fields=["account", "strategy"], name="strategy_once_an_account"),
            models.CheckConstraint(
                condition=models.Q(allocation_percent__range=(0, 100), risk_per_trade_percent__range=(0, 100)),
                name="mapping_percents_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.strategy} on {self.account}"
