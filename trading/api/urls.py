"""Every address of the API."""

from django.urls import path

from trading.api import kill

urlpatterns = [
    path("kill", kill.kill, name="api-kill"),
    path("kill/<int:command>", kill.one_kill, name="api-one-kill"),
]
