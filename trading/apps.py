"""The one Django app of the product."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    """One app, one migration history; its parts are packages (docs/architecture.md)."""

    name = "trading"
    verbose_name = "Trading"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from trading import checks  # noqa: F401
