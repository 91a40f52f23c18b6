"""Broker accounts, and the one whose feed serves others."""

from uuid import uuid4

from django.db import models
from django.utils import timezone

from trading.models.people import Control, User
from trading.models.secret import SecretField


class BrokerName(models.TextChoices):
    """The brokers there are adapters for."""

    KITE = "kite", "Zerodha Kite"
    SMARTAPI = "smartapi", "Angel One SmartAPI"
    PAPER = "paper", "Paper account"
    """An account at this machine's paper exchange. An account never changes its broker, so neither can its orders."""


class BrokerAccount(models.Model):
    """One account at a broker. A person may have several; the operator's own serves the feed.

    `key` (`kite:AB1001`) is how engine, events and orders name it; it is empty until the first
    sign-in has told the broker's user id, and never changes afterwards.
    """

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="broker_accounts")
    seal_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    broker = models.CharField(max_length=10, choices=BrokerName.choices)
    label = models.CharField(max_length=60, blank=True, default="")
    broker_user_id = models.CharField(max_length=40, blank=True, default="")
    key = models.CharField(max_length=60, blank=True, default="", db_index=True)
    api_key = SecretField()
    api_secret = SecretField()
    access_token = SecretField()
    token_expires_at = models.DateTimeField(null=True, blank=True, help_text="market time")
    last_login_at = models.DateTimeField(null=True, blank=True, help_text="market time")
    is_enabled = models.BooleanField(default=True)
    egress_ip = models.GenericIPAddressField(null=True, blank=True, help_text="address registered with the broker")
    algo_id = models.CharField(max_length=40, blank=True, default="", help_text="the exchange's id, on every order")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~models.Q(key=""), name="one_row_a_broker_account"),
            models.CheckConstraint(
                condition=models.Q(key="")
                | models.Q(broker="kite", key__startswith="kite:")
                | models.Q(broker="smartapi", key__startswith="smartapi:")
                | models.Q(broker="paper", key__startswith="paper:"),
                name="broker_account_key_names_its_broker",
            ),
        ]

    def __str__(self) -> str:
        return self.key or f"{self.broker} account {self.pk}"

    @property
    def is_paper(self) -> bool:
        """True when its orders go to the paper exchange, and can go nowhere else."""
        return self.broker == BrokerName.PAPER


class AccountControl(Control):
    """The trading state of one account. A table of its own, so that nobody who saves an account undoes a kill."""

    account = models.OneToOneField(BrokerAccount, on_delete=models.PROTECT, related_name="control")

    def __str__(self) -> str:
        return f"{self.account} {self.state}"


class FeedAccount(models.Model):
    """Says that this account's live feed is used; at most one is active."""

    account = models.OneToOneField(BrokerAccount, on_delete=models.PROTECT, related_name="feed")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=models.Q(is_active=True), name="one_active_feed_account"
            ),
        ]

    def __str__(self) -> str:
        return f"feed of {self.account}"


class FeedConsent(models.Model):
    """The holder's recorded word that others may see this account's prices; the text is what was agreed to."""

    feed = models.ForeignKey(FeedAccount, on_delete=models.PROTECT, related_name="consents")
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"consent by {self.given_by} for {self.feed}"
