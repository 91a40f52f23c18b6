"""What one message says, for a mail and for a program."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from algosystem.redaction import redact
from trading.domain.alarms import AlarmKind, kind_of
from trading.domain.timezone import to_ist
from trading.models import Alarm

SUBJECT_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Message:
    """One alarm as it is told. `who` is the client's address, empty for the house; `since` and `at` are market time."""

    code: str
    text: str
    who: str
    count: int
    since: datetime
    at: datetime

    @property
    def kind(self) -> AlarmKind:
        """Give what the code means."""
        return kind_of(self.code)

    @property
    def subject(self) -> str:
        """Give one line: how bad, what, whose."""
        words = f"[{self.kind.severity.upper()}] {self.kind.title}{f': {self.who}' if self.who else ''}"
        return " ".join(f"{words}{_venue()}".split())[:SUBJECT_LENGTH]

    @property
    def body(self) -> str:
        """Give the whole mail: what happened, what it means, what to do, and where."""
        kind = self.kind
        where = f"In the product: {kind.button}."
        parts = (self.text, self.times, kind.means, kind.do, where, f"Code {self.code}.{_venue()}")
        return redact("\n\n".join(part for part in parts if part))

    @property
    def times(self) -> str:
        """Give "12 times since 11:02, last at 11:05:09" or the one moment, in India."""
        if self.count > 1:
            return f"{self.count} times since {to_ist(self.since):%H:%M}, last at {to_ist(self.at):%H:%M:%S}."
        return f"At {to_ist(self.at):%H:%M:%S} on {to_ist(self.at):%d %b %Y}."

    @property
    def as_json(self) -> str:
        """Give one line of JSON for a program."""
        kind = self.kind
        said = {
            "code": self.code,
            "severity": kind.severity.value,
            "title": kind.title,
            "text": redact(self.text),
            "means": kind.means,
            "do": kind.do,
            "client": self.who,
            "count": self.count,
            "since": to_ist(self.since).isoformat(),
            "at": to_ist(self.at).isoformat(),
            "venue": settings.ALGO_VENUE,
        }
        return json.dumps(said, ensure_ascii=False)


def message_of(alarm: Alarm) -> Message:
    """Shape an alarm of the database, as it stands now."""
    who = alarm.client.label if alarm.client else ""
    return Message(alarm.code, alarm.text, who, alarm.count, alarm.raised_at, alarm.last_at)


def _venue() -> str:
    return "" if settings.ALGO_VENUE == "live" else f" ({settings.ALGO_VENUE})"
