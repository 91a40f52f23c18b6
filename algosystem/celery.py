"""The Celery application: `celery -A algosystem worker` and `beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "algosystem.settings")

app = Celery("algosystem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
