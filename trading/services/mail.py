"""Mail by way of an outbox. The request only writes a row; a worker sends it."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from algosystem.redaction import redact
from trading.models import OutgoingMail
from trading.ports import Clock
from trading.services import wiring
from trading.services.background import ask_worker

logger = logging.getLogger(__name__)
mailbox_in_the_log = logging.getLogger("trading.demo_mail")  # its lines keep one-time codes

WORKER_FIRST = timedelta(seconds=20)
"""A worker gets this long before others look after a mail."""
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900))
MOST_AGE = timedelta(days=1)


def queue_mail(*, recipient: str, subject: str, body: str) -> OutgoingMail:
    """Write the mail and, once that is committed, ask a worker to send it. One that no worker takes is sent later."""
    wall = wiring.clock().wall()
    mail = OutgoingMail(recipient=recipient, subject=subject, created_at=wall, next_try_at=wall + WORKER_FIRST)
    mail.write_body(body)
    mail.save()
    transaction.on_commit(lambda: ask_worker("send_mail", mail.pk), robust=True)
    return mail


def deliver(mail_id: int) -> bool:
    """Send one mail of the outbox. Safe to run twice, also at once; False when it was sent before, is gone or failed.

    In the demo nothing leaves the machine: the text goes to the log and to /demo/mail/.
    """
    wall = wiring.clock().wall()
    with transaction.atomic():
        mail = OutgoingMail.objects.select_for_update(no_key=True).filter(pk=mail_id, sent_at__isnull=True).first()
        if mail is None or (mail.tries and mail.next_try_at is not None and wall < mail.next_try_at):
            return False
        mail.tries += 1
        mail.next_try_at = wall + BACK_OFF[min(mail.tries, len(BACK_OFF)) - 1]
        mail.save(update_fields=["tries", "next_try_at"])
    try:
        _send(mail)
    except (OSError, SMTPException) as error:
        mail.last_error = redact(f"{type(error).__name__}: {error}")[:200]
        mail.save(update_fields=["last_error"])
        logger.warning("mail %s was not sent, try %s: %s", mail.public_id, mail.tries, mail.last_error)
        return False
    mail.sent_at, mail.last_error = wiring.clock().wall(), ""
    mail.save(update_fields=["sealed_body", "sent_at", "last_error"])
    return True


def send_waiting(clock: Clock) -> int:
    """Send what no worker took or what failed before; gives how many left. A day later it is of no use to anybody."""
    wall = clock.wall()
    waiting = OutgoingMail.objects.filter(sent_at=None, created_at__gt=wall - MOST_AGE, next_try_at__lte=wall)
    return sum(deliver(mail_id) for mail_id in waiting.order_by("created_at").values_list("pk", flat=True)[:5])


def _send(mail: OutgoingMail) -> None:
    text = mail.body.reveal()
    if settings.IS_DEMO:
        mailbox_in_the_log.info("mail to=%s subject=%r text=%r", mail.recipient, mail.subject, text)
        return
    EmailMessage(mail.subject, text, to=[mail.recipient]).send()
    mail.sealed_body = ""
