"""Secrets at rest, all together: finding them, and writing them anew when the key changes."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models, transaction

from trading.models import OutgoingMail, SecretField


def rotate_secrets() -> int:
    """Encrypt every secret again with the first key, in one transaction; gives how many there were.

    Raises SecretRefused, and changes nothing, when one cannot be read with any key.
    """
    count = 0
    with transaction.atomic():
        for model, names in _secret_columns():
            for row in model._default_manager.select_for_update(no_key=True).iterator():
                for name in names:
                    secret = getattr(row, name)
                    setattr(row, name, secret)  # a Secret is sealed anew on saving
                    count += bool(secret)
                row.save(update_fields=names)
        for mail in OutgoingMail.objects.exclude(sealed_body="").iterator():
            mail.write_body(mail.body.reveal())
            mail.save(update_fields=["sealed_body"])
            count += 1
    return count


def _secret_columns() -> Iterator[tuple[type[models.Model], list[str]]]:
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, SecretField)]
        if names:
            yield model, names
