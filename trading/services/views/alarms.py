"""What the pages show of alarms: what waits for a person, the history, and how the channels are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q

from trading.domain.alarms import AlarmKind, Severity
from trading.models import Alarm, AlarmDelivery, Channel, DeliveryState, Heartbeat, User
from trading.services.alarms.probes import PROBES_PART
from trading.stores.alarms import OPEN

SHOWN_IN_BAR = 3
KEPT_OPEN_FOR = timedelta(days=7)
"""An alarm that nobody acknowledged stays in the bar so long, market days or not."""
HISTORY = 100


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm as a person sees it. `told` says by which channel it reached whom; only operators see that."""

    alarm: Alarm
    acknowledged_at: datetime | None
    told: tuple[AlarmDelivery, ...] = ()

    @property
    def kind(self) -> AlarmKind:
        """Give its words."""
        return self.alarm.kind

    @property
    def tone(self) -> str:
        """Give how it is coloured."""
        return {Severity.CRITICAL: "bad", Severity.WARNING: "warn"}.get(Severity(self.alarm.severity), "info")


@dataclass(frozen=True, slots=True)
class AlarmBar:
    """What every page shows: how many wait for this person, and the newest critical ones."""

    critical: int = 0
    others: int = 0
    lines: tuple[AlarmLine, ...] = ()
    newest: int = 0

    @property
    def count(self) -> int:
        """Give the number on the badge."""
        return self.critical + self.others

    @property
    def more(self) -> int:
        """Give how many critical ones the bar does not show."""
        return self.critical - len(self.lines)

    @property
    def stamp(self) -> str:
        """Tell one state of the bar from another."""
        return f"{self.newest}-{self.critical}-{self.others}"


def alarm_bar(user: User, wall: datetime) -> AlarmBar:
    """Give what waits for a person."""
    counts = _counts([user.pk], wall).get(user.pk)
    if counts is None:
        return AlarmBar()
    waiting = _waiting(wall).filter(user=user, alarm__severity=Severity.CRITICAL)
    rows = waiting.select_related("alarm__client__user").order_by("-alarm__last_at")[:SHOWN_IN_BAR]
    return AlarmBar(counts["critical"], counts["others"], tuple(_line(row) for row in rows), counts["newest"])


def alarm_pulses(user_ids: Iterable[int], wall: datetime) -> dict[int, dict[str, Any]]:
    """Give, for every person at a socket, how many alarms wait, and a stamp that changes with them."""
    ids = list(user_ids)
    found = _counts(ids, wall)
    pulses = {}
    for user_id in ids:
        counts = found.get(user_id)
        bar = AlarmBar(counts["critical"], counts["others"], (), counts["newest"]) if counts else AlarmBar()
        pulses[user_id] = {"critical": bar.critical, "count": bar.count, "stamp": bar.stamp}
    return pulses


def waiting_lines(user: User, wall: datetime) -> list[AlarmLine]:
    """Give everything that a person has not acknowledged yet, critical ones first."""
    rows = _waiting(wall).filter(user=user).select_related("alarm__client__user").order_by("-alarm__last_at")
    lines = [_line(row, with_told=user.is_operator) for row in rows[:HISTORY]]
    return sorted(lines, key=lambda line: list(Severity).index(Severity(line.alarm.severity)))


def history(user: User, day: date) -> list[AlarmLine]:
    """Give a person's alarms of one market day, newest first."""
    rows = AlarmDelivery.objects.filter(channel=Channel.PAGE, user=user, alarm__day=day)
    rows = rows.select_related("alarm__client__user").order_by("-alarm__last_at")
    return [_line(row, with_told=user.is_operator) for row in rows[:HISTORY]]


def days_with_alarms(user: User) -> list[date]:
    """Give the last market days on which a person had alarms, newest first."""
    rows = AlarmDelivery.objects.filter(channel=Channel.PAGE, user=user)
    return list(rows.order_by("-alarm__day").values_list("alarm__day", flat=True).distinct()[:30])


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One way to reach a person: `kind` is ok, warn or bad."""

    name: str
    what: str
    kind: str
    text: str
    last: datetime | None = None


def channel_views(user: User) -> list[ChannelView]:
    """Say of each channel of a person how it is. An operator sees the house's too; no command line and no secret."""
    page = _last(channel=Channel.PAGE, user=user)
    found = [ChannelView("Page", "Every open page of yours, at once", "ok", _ago(page, "shown"), page)]
    found.append(_mail(user.email, "To you"))
    if user.is_operator:
        found += [_mail(mail, "By ALARM_MAIL_TO") for mail in settings.ALARM_MAIL_TO if mail != user.email]
        found.append(_program())
        found.append(_watcher())
    return found


def house_channels() -> tuple[str, str]:
    """Give (kind, sentence) of all channels together, for the status page and for readiness."""
    probes = _probes()
    bad = {name: error for name, error in probes.items() if error}
    stuck = AlarmDelivery.objects.filter(state=DeliveryState.FAILED).exclude(channel=Channel.PAGE).count()
    if bad:
        words = "; ".join(f"{name}: {error}" for name, error in bad.items())
        return ("bad" if len(bad) == len(probes) else "warn"), f"{words}. Undelivered critical alarms stop entries."
    if stuck:
        return "warn", f"{stuck} message{'s' if stuck > 1 else ''} could not be delivered yet"
    if not probes:
        return "warn", "No process has tried the channels yet."
    return "ok", f"{' and '.join(probes)} answer{'s' if len(probes) == 1 else ''}"


def _probes() -> dict[str, str]:
    """Give what the last probe of each channel found: an error, or nothing."""
    rows = Heartbeat.objects.filter(part__startswith=PROBES_PART)
    return {row.part.removeprefix(PROBES_PART): row.detail for row in rows.order_by("part")}


def _mail(recipient: str, what: str) -> ChannelView:
    last = _last(channel=Channel.MAIL, recipient=recipient)
    if settings.IS_DEMO:
        return ChannelView("Mail", f"{what}: {recipient}", "ok", "the demo keeps it in the log", last)
    return _shaped("Mail", f"{what}: {recipient}", "mail", last, channel=Channel.MAIL, recipient=recipient)


def _program() -> ChannelView:
    if not settings.ALARM_PROGRAM:
        return ChannelView("Program", "ALARM_PROGRAM", "warn", "none is named; see docs/alarms.md")
    last = _last(channel=Channel.PROGRAM)
    return _shaped("Program", "ALARM_PROGRAM, by the environment", "program", last, channel=Channel.PROGRAM)


def _watcher() -> ChannelView:
    if settings.ALARM_PING_URL:
        return ChannelView("Outside watcher", "ALARM_PING_URL", "ok", "called every 30 s")
    return ChannelView("Outside watcher", "ALARM_PING_URL", "warn", "none is named: nobody notices a dead machine")


def _shaped(name: str, what: str, probe: str, last: datetime | None, **rows: str) -> ChannelView:
    error = _probes().get(probe, "")
    failing = AlarmDelivery.objects.filter(state=DeliveryState.FAILED, **rows).order_by("-next_try_at").first()
    if error or failing:
        return ChannelView(name, what, "bad", error or (failing.last_error if failing else ""), last)
    return ChannelView(name, what, "ok", _ago(last, "delivered"), last)


def _last(**rows: Any) -> datetime | None:
    found: datetime | None = AlarmDelivery.objects.filter(**rows).aggregate(last=Max("delivered_at"))["last"]
    return found


def _ago(last: datetime | None, word: str) -> str:
    return "nothing was sent yet" if last is None else f"last {word}"


def _waiting(wall: datetime) -> Any:
    rows = AlarmDelivery.objects.filter(channel=Channel.PAGE, acknowledged_at=None)
    return rows.filter(alarm__created_at__gt=wall - KEPT_OPEN_FOR)


def _counts(user_ids: list[int], wall: datetime) -> dict[int, Mapping[str, int]]:
    is_critical = Q(alarm__severity=Severity.CRITICAL)
    rows = _waiting(wall).filter(user_id__in=user_ids).values("user_id")
    rows = rows.annotate(critical=Count("pk", filter=is_critical), all=Count("pk"), newest=Max("pk"))
    return {
        row["user_id"]: {"critical": row["critical"], "others": row["all"] - row["critical"], "newest": row["newest"]}
        for row in rows
    }


def _line(row: AlarmDelivery, *, with_told: bool = False) -> AlarmLine:
    told: tuple[AlarmDelivery, ...] = ()
    if with_told:
        told = tuple(row.alarm.deliveries.exclude(channel=Channel.PAGE, state__in=OPEN).order_by("channel", "pk"))
    return AlarmLine(row.alarm, row.acknowledged_at, told)
