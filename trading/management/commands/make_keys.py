"""`make_keys`: a new pair of secrets for a production environment."""

import secrets
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Print SECRET_KEY and FIELD_KEYS as environment lines; nothing is stored."""

    help = "Print new SECRET_KEY and FIELD_KEYS values."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        self.stdout.write(f"SECRET_KEY={secrets.token_urlsafe(50)}")
        self.stdout.write(f"FIELD_KEYS={Fernet.generate_key().decode()}")
