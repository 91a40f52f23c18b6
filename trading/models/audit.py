"""The event log: one hash chain a client and one for the house. Rows are only ever added."""

import json
from typing import Any

from django.db import models

from trading.models.people import Client


class EventChain(models.Model):
    """The head of one chain; whoever appends locks this row first. `name` is `house` or `client:<id>`."""

    name = models.CharField(max_length=40, unique=True)
    client = models.OneToOneField(Client, on_delete=models.PROTECT, null=True, blank=True, related_name="chain")
    last_seq = models.PositiveBigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.name} at {self.last_seq}"


class EventLog(models.Model):
    """One line. `body` is canonical JSON, kept as text so that it hashes the same for ever.

    `at` is market time, `wall_at` real time. `hash` covers every other column and `prev_hash`.
    """

    chain = models.ForeignKey(EventChain, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    wall_at = models.DateTimeField()
    account_key = models.CharField(max_length=60, blank=True, default="")
    instrument = models.CharField(max_length=80, blank=True, default="")
    tag = models.CharField(max_length=20, blank=True, default="", db_index=True)
    body = models.TextField()
    prev_hash = models.CharField(max_length=64, blank=True, default="")
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["chain_id", "seq"]
        indexes = [models.Index(fields=["chain", "at"], name="event_by_time")]
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="one_row_a_sequence_number")]

    def __str__(self) -> str:
        return f"{self.chain_id}#{self.seq} {self.kind}"

    @property
    def data(self) -> dict[str, Any]:
        """Give the event's data; money is strings."""
        data: dict[str, Any] = json.loads(self.body)
        return data
