"""Instruments that somebody watches or trades, the dumps they came from, and their past ranges."""

from django.db import models
from django.utils import timezone

from trading.domain import opening_range
from trading.domain.instrument_facts import Changes
from trading.domain.instruments import Instrument, InstrumentType
from trading.models.accounts import BrokerName
from trading.models.fields import choices_of, money


class InstrumentRow(models.Model):
    """One instrument of one broker. The whole dump is a file; rows exist only for what is used."""

    broker = models.CharField(max_length=10, choices=BrokerName.choices, default=BrokerName.KITE)
    exchange = models.CharField(max_length=10)
    tradingsymbol = models.CharField(max_length=60)
    token = models.BigIntegerField(help_text="the broker's feed token")
    name = models.CharField(max_length=120, blank=True, default="")
    tick_size = money()
    lot_size = models.PositiveIntegerField()
    instrument_type = models.CharField(max_length=5, choices=choices_of(InstrumentType), default=InstrumentType.EQ)
    segment = models.CharField(max_length=20)
    expiry = models.DateField(null=True, blank=True)
    strike = money(default=0)
    has_derivatives = models.BooleanField(default=False)
    last_seen_on = models.DateField(null=True, blank=True, help_text="the last day whose dump had it")
    listed_otherwise = models.JSONField(
        default=dict, blank=True, help_text="what the last dump says otherwise: field -> [ours, the dump's]"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["broker", "exchange", "tradingsymbol"], name="one_row_an_instrument"),
            models.CheckConstraint(condition=models.Q(tick_size__gt=0, lot_size__gt=0), name="instrument_steps"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """Give the broker's spelling `EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def changes(self) -> Changes:
        """Give what the last list says otherwise, until a person takes it over."""
        return {field: (was, now) for field, (was, now) in self.listed_otherwise.items()}

    def to_domain(self) -> Instrument:
        """Give the value the domain works with."""
        return Instrument(
            exchange=self.exchange,
            tradingsymbol=self.tradingsymbol,
            token=self.token,
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            instrument_type=InstrumentType(self.instrument_type),
            segment=self.segment,
            name=self.name,
            expiry=self.expiry,
            strike=self.strike,
            has_derivatives=self.has_derivatives,
        )


class InstrumentDump(models.Model):
    """One day's dump of one broker: the file it is kept in (below the state directory) and its proof."""

    day = models.DateField()
    broker = models.CharField(max_length=10, choices=BrokerName.choices)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    row_count = models.PositiveIntegerField()
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "broker"], name="one_dump_a_day")]

    def __str__(self) -> str:
        return f"{self.broker} {self.day} ({self.row_count} rows)"


class OpeningRange(models.Model):
    """What an instrument did in the first `minutes` of a day, or `why_not` that gives no range. Written once.

    `source` says who told: ticks or candles.
    """

    instrument = models.ForeignKey(InstrumentRow, on_delete=models.CASCADE, related_name="opening_ranges")
    day = models.DateField(help_text="the day of the window, on which it is used")
    minutes = models.PositiveSmallIntegerField()
    high = money(null=True)
    low = money(null=True)
    source = models.CharField(max_length=10)
    why_not = models.CharField(max_length=200, blank=True, default="")
    found_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "day", "minutes"], name="one_opening_range_a_window"),
            models.CheckConstraint(
                condition=models.Q(high__isnull=False, low__gt=0, high__gte=models.F("low"), why_not="")
                | (models.Q(high__isnull=True, low__isnull=True) & ~models.Q(why_not="")),
                name="opening_range_or_why_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.day} first {self.minutes} minutes {self.high}/{self.low}"

    def to_domain(self) -> opening_range.OpeningRange:
        """Give the value the domain works with. Needs `instrument` loaded."""
        return opening_range.OpeningRange(
            broker=self.instrument.broker,
            instrument=self.instrument.key,
            minutes=self.minutes,
            told_by=self.source,
            high=self.high,
            low=self.low,
            why_not=self.why_not,
        )


class DayRange(models.Model):
    """What an instrument did on one completed session. `source` says who told, e.g. `kite:historical`."""

    instrument = models.ForeignKey(InstrumentRow, on_delete=models.CASCADE, related_name="ranges")
    day = models.DateField(help_text="the session described, not the day it is used on")
    high = money()
    low = money()
    close = money()
    source = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "day"], name="one_range_a_session")]

    def __str__(self) -> str:
        return f"{self.instrument} {self.day} {self.high}/{self.low}"
