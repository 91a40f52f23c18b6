"""Encrypt every stored secret again with the first of FIELD_KEYS, so that the older keys can be dropped."""

from typing import Any

from django.core.management.base import BaseCommand

from trading.services.secrets import rotate_secrets


class Command(BaseCommand):
    """`python manage.py rotate_field_keys`: put the new key first in FIELD_KEYS, run this, then drop the old ones."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate all secrets in one transaction and say how many."""
        count = rotate_secrets()
        self.stdout.write(f"{count} secrets were encrypted again with the first key")
