"""Every address of the site comes from the web package."""

from django.urls import include, path

urlpatterns = [path("", include("trading.web.urls"))]
