from django.apps import AppConfig


class ThemeConfig(AppConfig):
    """Holds the Tailwind source and the built, committed assets."""

    name = "theme"
