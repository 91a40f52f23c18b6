"""Wiring of the Django project: settings, URLs, ASGI and Celery. No trading words."""

from algosystem.celery import app as celery_app

__all__ = ["celery_app"]
