"""Order intents, committed before anything is sent, and the fills that came of them."""

from django.db import models
from django.utils import timezone

from trading.domain.orders import (
    BrokerOrder,
    BrokerTrade,
    IntentState,
    OrderIntent,
    OrderStatus,
    OrderType,
    Product,
    Purpose,
    PurposeKey,
    Side,
)
from trading.models.accounts import BrokerAccount
from trading.models.fields import choices_of, money
from trading.models.people import Client


class OrderIntentRow(models.Model):
    """One order we wanted, what became of it, and why.

    `decided_at`, `broker_placed_at`, `broker_updated_at` are market time; `created_at`, `claimed_at`,
    `resolved_at`, `closed_at` are wall time. `holds_exit_slot` is taken when an exit is created and
    given up when nothing of it can fill any more; the constraint on it is what makes a second live exit
    of a position impossible. An order that turns up late does not take it back.
    """

    purpose_key = models.CharField(max_length=200, unique=True)
    tag = models.CharField(max_length=20, unique=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="intents")
    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="intents")

    day = models.DateField()
    instrument = models.CharField(max_length=80, help_text="EXCHANGE:TRADINGSYMBOL")
    position = models.PositiveIntegerField(help_text="counts the day's positions of account and instrument from 1")
    purpose = models.CharField(max_length=20, choices=choices_of(Purpose))
    round = models.PositiveIntegerField(default=0)
    slice = models.PositiveIntegerField(default=0)

    side = models.CharField(max_length=4, choices=choices_of(Side))
    quantity = models.PositiveIntegerField(help_text="units")
    order_type = models.CharField(max_length=10, choices=choices_of(OrderType))
    price = money(null=True, blank=True)
    trigger_price = money(null=True, blank=True)
    protection_percent = models.DecimalField(max_digits=6, decimal_places=2, default=-1)
    product = models.CharField(max_length=6, choices=choices_of(Product))
    algo_id = models.CharField(max_length=40, blank=True, default="")

    state = models.CharField(max_length=10, choices=choices_of(IntentState), default=IntentState.NEW)
    is_exit = models.BooleanField()
    holds_exit_slot = models.BooleanField(default=False)
    changes = models.PositiveIntegerField(default=0, help_text="how often its order was to be changed, sent or not")
    shard = models.CharField(max_length=40, blank=True, default="")
    epoch = models.PositiveIntegerField(null=True, blank=True, help_text="the lease under which it was sent")
    reason = models.JSONField(default=dict, help_text="tick, rule and levels that decided it")
    gate = models.JSONField(default=list, help_text="the gate's verdicts, in order")
    outcome = models.CharField(max_length=400, blank=True, default="", help_text="why it was denied, refused, in doubt")

    decided_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    order_id = models.CharField(max_length=40, blank=True, default="", db_index=True)
    order_status = models.CharField(max_length=20, choices=choices_of(OrderStatus), blank=True, default="")
    broker_status = models.CharField(max_length=60, blank=True, default="", help_text="the broker's own word")
    status_message = models.CharField(max_length=400, blank=True, default="")
    broker_product = models.CharField(max_length=10, blank=True, default="")
    broker_quantity = models.PositiveIntegerField(default=0)
    filled_quantity = models.PositiveIntegerField(default=0)
    average_price = money(default=0)
    broker_price = money(null=True, blank=True)
    broker_trigger_price = money(null=True, blank=True)
    broker_placed_at = models.DateTimeField(null=True, blank=True)
    broker_updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "order intent"
        indexes = [
            models.Index(fields=["day", "client"], name="intent_by_day_client"),
            models.Index(fields=["account", "instrument", "day"], name="intent_by_position"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "instrument"],
                condition=models.Q(holds_exit_slot=True),
                name="one_live_exit_a_position",
            ),
            models.CheckConstraint(
                condition=models.Q(holds_exit_slot=False) | models.Q(is_exit=True), name="only_exits_hold_the_slot"
            ),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="intent_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.tag} {self.purpose} {self.side} {self.quantity} {self.instrument}"

    def to_intent(self) -> OrderIntent:
        """Give the value that was committed. Needs `account` loaded."""
        key = PurposeKey(
            day=self.day,
            account=self.account.key,
            instrument=self.instrument,
            position=self.position,
            purpose=Purpose(self.purpose),
            round=self.round,
            slice=self.slice,
        )
        return OrderIntent(
            key=key,
            side=Side(self.side),
            quantity=self.quantity,
            order_type=OrderType(self.order_type),
            price=self.price,
            protection_percent=self.protection_percent,
            product=Product(self.product),
            algo_id=self.algo_id,
            trigger_price=self.trigger_price,
        )

    def to_order(self) -> BrokerOrder | None:
        """Give what the broker last said of the order; None when it never said anything."""
        if not self.order_status:
            return None
        return BrokerOrder(
            order_id=self.order_id,
            tag=self.tag,
            status=OrderStatus(self.order_status),
            instrument=self.instrument,
            side=Side(self.side),
            product=self.broker_product,
            quantity=self.broker_quantity,
            filled_quantity=self.filled_quantity,
            average_price=self.average_price,
            status_message=self.status_message,
            broker_status=self.broker_status,
            placed_at=self.broker_placed_at,
            updated_at=self.broker_updated_at,
            price=self.broker_price,
            trigger_price=self.broker_trigger_price,
        )


class Fill(models.Model):
    """One trade as the broker lists it, ours or a stranger's (`intent` None: placed by hand elsewhere).

    An exchange's trade numbers begin anew each day, hence the key. `filled_at` is market time.
    """

    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="fills")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="fills")
    intent = models.ForeignKey(OrderIntentRow, on_delete=models.PROTECT, null=True, blank=True, related_name="fills")
    day = models.DateField()
    exchange = models.CharField(max_length=10)
    trade_id = models.CharField(max_length=40)
    order_id = models.CharField(max_length=40)
    instrument = models.CharField(max_length=80, help_text="EXCHANGE:TRADINGSYMBOL")
    side = models.CharField(max_length=4, choices=choices_of(Side))
    product = models.CharField(max_length=10)
    quantity = models.PositiveIntegerField(help_text="units")
    price = money()
    filled_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["client", "day"], name="fill_by_client_day"),
            models.Index(fields=["account", "order_id"], name="fill_by_order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "day", "exchange", "trade_id"], name="one_row_a_trade"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="fill_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id} {self.side} {self.quantity} {self.instrument} at {self.price}"

    def to_trade(self) -> BrokerTrade:
        """Give the value the domain works with."""
        return BrokerTrade(
            trade_id=self.trade_id,
            order_id=self.order_id,
            instrument=self.instrument,
            side=Side(self.side),
            product=self.product,
            quantity=self.quantity,
            price=self.price,
            filled_at=self.filled_at,
        )
