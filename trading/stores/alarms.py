"""Alarms and their outbox: recorded once a cause and day, counted after that, told to everybody whom they concern.

A message that was told is told again for the same cause only QUIET_FOR later, as a digest of what came since. Times
called `wall` are wall times; one that lies further ahead than any wait is due (the clock was set back).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from algosystem.redaction import redact
from trading.domain.alarms import TEST_CODE, AlarmKind, Severity, Tells, cause_of, kind_of
from trading.domain.timezone import ist_day
from trading.models import Alarm, AlarmDelivery, Channel, DeliveryState, User

TEXT_LENGTH = 400
ERROR_LENGTH = 200
QUIET_FOR = timedelta(seconds=60)
"""The same cause goes to the same recipient at most so often."""
CLAIMED_FOR = timedelta(seconds=15)
"""Longer than any channel takes; a sender that died in between is replaced after it, and in time: two may die."""
LONGEST_WAIT = timedelta(seconds=120)
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (2, 4, 8, 15, 30))
MOST_TRIES = 60
PROGRAM = "program"
"""The recipient of the program channel: its command line may hold a secret, so no row does."""
OPEN = (DeliveryState.WAITING, DeliveryState.FAILED)


@dataclass(frozen=True, slots=True)
class Address:
    """Whom one channel tells. `user` is None for an address of the settings."""

    channel: Channel
    recipient: str
    user: User | None = None


def record(
    client_id: int | None,
    code: str,
    text: str,
    *,
    at: datetime,
    wall: datetime,
    unless_within: timedelta | None = None,
    told: Iterable[tuple[str, str]] = (),
) -> Alarm:
    """Record an alarm at market time `at`, and put it into the outbox of everybody whom it concerns.

    `unless_within`: several observers of one thing; what one of them said so lately is not counted again.
    `told`: (channel, recipient) that were told already, while the database was away.
    """
    text = redact(text)[:TEXT_LENGTH]
    kind = kind_of(code)
    with transaction.atomic():
        alarm, is_new = _count(client_id, kind, text, at=at, wall=wall, unless_within=unless_within)
        if is_new:
            _put_out(alarm, kind, wall=wall, told=frozenset(told))
    return alarm


def _count(
    client_id: int | None, kind: AlarmKind, text: str, *, at: datetime, wall: datetime, unless_within: timedelta | None
) -> tuple[Alarm, bool]:
    """Make the row or count it up; False when an observer's word was no news."""
    key = {"client_id": client_id, "code": kind.code, "cause": cause_of(text) or "-", "day": ist_day(at)}
    known = Alarm.objects.select_for_update(no_key=True).filter(**key).first()
    if known is None:
        try:
            with transaction.atomic():
                times = {"raised_at": at, "last_at": at, "created_at": wall, "repeated_at": wall}
                return Alarm.objects.create(**key, severity=kind.severity, text=text, **times), True
        except IntegrityError:  # another process was faster
            known = Alarm.objects.select_for_update(no_key=True).get(**key)
    said_at = known.repeated_at or known.created_at
    if unless_within is not None and abs(wall - said_at) < unless_within:
        return known, False
    known.count, known.text, known.last_at, known.repeated_at = known.count + 1, text, at, wall
    known.save(update_fields=["count", "text", "last_at", "repeated_at"])
    return known, True


# -- whom -------------------------------------------------------------------------------------------------------


def addresses(kind: AlarmKind, client_id: int | None) -> list[Address]:
    """Give whom an alarm is for: the operators, and for most the client whom it concerns."""
    wanted = Q(is_operator=True)
    if kind.tells is not Tells.OPERATOR and client_id is not None:
        wanted |= Q(client__pk=client_id)
    elif kind.tells is Tells.EVERYBODY:
        wanted |= Q(client__isnull=False)
    found: list[Address] = []
    for user in User.objects.filter(wanted, is_active=True).order_by("pk"):
        found.append(Address(Channel.PAGE, user.email, user))
        if _is_pressing(kind) or (kind.severity is Severity.WARNING and user.mails_warnings):
            found.append(Address(Channel.MAIL, user.email, user))
    known = {address.recipient for address in found}
    return found + [address for address in house_addresses(kind) if address.recipient not in known]


def house_addresses(kind: AlarmKind) -> list[Address]:
    """Give those that the settings name; they need no database."""
    if kind.severity is Severity.INFO and not _is_pressing(kind):
        return []
    mails = [Address(Channel.MAIL, mail) for mail in settings.ALARM_MAIL_TO]
    return mails + ([Address(Channel.PROGRAM, PROGRAM)] if settings.ALARM_PROGRAM else [])


def _is_pressing(kind: AlarmKind) -> bool:
    return kind.severity is Severity.CRITICAL or kind.is_notice or kind.code == TEST_CODE


# -- the outbox -------------------------------------------------------------------------------------------------


def _put_out(alarm: Alarm, kind: AlarmKind, *, wall: datetime, told: frozenset[tuple[str, str]]) -> None:
    known = {(row.channel, row.recipient): row for row in alarm.deliveries.all()}
    quiet = _told_lately(alarm, wall)
    for address in addresses(kind, alarm.client_id):
        key = (address.channel.value, address.recipient)
        row = known.get(key)
        if row is None:
            row = AlarmDelivery(alarm=alarm, channel=key[0], recipient=key[1], user=address.user, created_at=wall)
        elif row.state in OPEN:
            continue  # it will tell the count of the moment at which it leaves
        row.state, row.tries, row.acknowledged_at = DeliveryState.WAITING, 0, None
        row.next_try_at = max(wall, quiet.get(key, wall))
        if key in told:
            row.state, row.told_count, row.delivered_at = DeliveryState.SENT, alarm.count, wall
        row.save()
    _note_undelivered(alarm, wall)


def _told_lately(alarm: Alarm, wall: datetime) -> Mapping[tuple[str, str], datetime]:
    """Give until when each recipient must not hear of this cause again."""
    same = AlarmDelivery.objects.filter(alarm__client=alarm.client, alarm__code=alarm.code, alarm__cause=alarm.cause)
    lately = same.filter(delivered_at__gt=wall - QUIET_FOR, delivered_at__lte=wall)
    return {(row.channel, row.recipient): row.delivered_at + QUIET_FOR for row in lately if row.delivered_at}


def _note_undelivered(alarm: Alarm, wall: datetime) -> None:
    """Note from when on nobody knows of a critical alarm; a digest counts from the moment at which it is due."""
    if alarm.severity != Severity.CRITICAL or alarm.undelivered_since is not None:
        return
    rows = list(alarm.deliveries.all())
    if any(row.state == DeliveryState.SENT and row.told_count >= alarm.count for row in rows):
        return
    digests = [row.next_try_at for row in rows if row.state in OPEN and row.told_count]
    alarm.undelivered_since = min(digests, default=wall)
    alarm.entries_stopped_at = None
    alarm.save(update_fields=["undelivered_since", "entries_stopped_at"])


def due(wall: datetime, *, channels: Sequence[Channel], limit: int = 50) -> list[AlarmDelivery]:
    """Give what should leave now, critical ones first."""
    rows = AlarmDelivery.objects.filter(state__in=OPEN, channel__in=channels)
    rows = rows.filter(Q(next_try_at__lte=wall) | Q(next_try_at__gt=wall + LONGEST_WAIT))
    found = list(rows.select_related("alarm__client__user", "user").order_by("next_try_at")[:limit])
    return sorted(found, key=lambda row: list(Severity).index(Severity(row.alarm.severity)))


def claim(row: AlarmDelivery, wall: datetime) -> bool:
    """Take one message to send it; False when another sender was faster."""
    mine = AlarmDelivery.objects.filter(pk=row.pk, state__in=OPEN, next_try_at=row.next_try_at)
    return mine.update(next_try_at=wall + CLAIMED_FOR, tries=F("tries") + 1) == 1


def sent(delivery_id: int, told_count: int, wall: datetime) -> None:
    """Note that a message was delivered; what was counted meanwhile waits for the next one."""
    with transaction.atomic():
        alarm = Alarm.objects.select_for_update(no_key=True, of=("self",)).get(deliveries=delivery_id)
        row = AlarmDelivery.objects.get(pk=delivery_id)
        row.told_count, row.delivered_at, row.tries, row.last_error = told_count, wall, 0, ""
        row.state = DeliveryState.SENT if told_count >= alarm.count else DeliveryState.WAITING
        row.next_try_at = wall + QUIET_FOR
        row.save()
        if alarm.undelivered_since is not None:
            alarm.undelivered_since = None if row.state == DeliveryState.SENT else row.next_try_at
            alarm.save(update_fields=["undelivered_since"])


def failed(delivery_id: int, error: str, wall: datetime) -> None:
    """Note that a try came to nothing, and when the next one is."""
    row = AlarmDelivery.objects.get(pk=delivery_id)
    has_tries = row.tries < MOST_TRIES
    row.state = DeliveryState.FAILED if has_tries else DeliveryState.GIVEN_UP
    row.next_try_at = wall + BACK_OFF[min(max(row.tries, 1), len(BACK_OFF)) - 1]
    row.last_error = redact(error)[:ERROR_LENGTH]
    row.save(update_fields=["state", "next_try_at", "last_error"])


# -- the page ---------------------------------------------------------------------------------------------------


def shown(user_id: int, alarm_ids: Iterable[int], wall: datetime) -> int:
    """Note that a person's browser showed these alarms; strangers' are passed over. Gives how many were news."""
    rows = AlarmDelivery.objects.filter(channel=Channel.PAGE, user_id=user_id, alarm_id__in=list(alarm_ids))
    news = list(rows.filter(state__in=OPEN).select_related("alarm"))
    for row in news:
        sent(row.pk, row.alarm.count, wall)
    return len(news)


def acknowledge(user_id: int, alarm_id: int, wall: datetime) -> bool:
    """Note that a person has read an alarm; False when it is not theirs."""
    rows = AlarmDelivery.objects.filter(channel=Channel.PAGE, user_id=user_id, alarm_id=alarm_id)
    if not rows.exists():
        return False
    shown(user_id, [alarm_id], wall)
    rows.filter(acknowledged_at=None).update(acknowledged_at=wall)
    Alarm.objects.filter(pk=alarm_id, seen_at=None).update(seen_at=wall)
    return True


def undelivered() -> list[Alarm]:
    """Give the critical alarms of which nobody was told yet, and that have not stopped entries yet."""
    rows = Alarm.objects.filter(severity=Severity.CRITICAL, undelivered_since__isnull=False, entries_stopped_at=None)
    return list(rows.select_related("client__user").order_by("pk"))
