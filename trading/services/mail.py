"""Mail by way of an outbox. The request only writes a row; a worker sends it."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from trading.models import OutgoingMail
from trading.services import wiring
from trading.services.background import ask_worker

mailbox_in_the_log = logging.getLogger("trading.demo_mail")  # its lines keep one-time codes


def queue_mail(*, recipient: str, subject: str, body: str) -> OutgoingMail:
    """Write the mail and, once that is committed, ask a worker to send it."""
    mail = OutgoingMail(recipient=recipient, subject=subject, created_at=wiring.clock().wall())
    mail.write_body(body)
    mail.save()
    transaction.on_commit(lambda: ask_worker("send_mail", mail.pk), robust=True)
    return mail


def deliver(mail_id: int) -> bool:
    """Send one mail of the outbox. Safe to run twice; False when it was sent before or is gone.

    In the demo nothing leaves the machine: the text goes to the log and to /demo/mail/.
    """
    mail = OutgoingMail.objects.filter(pk=mail_id, sent_at__isnull=True).first()
    if mail is None:
        return False
    text = mail.body.reveal()
    if settings.IS_DEMO:
        mailbox_in_the_log.info("mail to=%s subject=%r text=%r", mail.recipient, mail.subject, text)
    else:
        EmailMessage(mail.subject, text, to=[mail.recipient]).send()
        mail.sealed_body = ""
    mail.sent_at = wiring.clock().wall()
    mail.save(update_fields=["sealed_body", "sent_at"])
    return True
