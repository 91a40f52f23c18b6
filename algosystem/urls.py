"""Every address of the site comes from the web package."""

from django.urls import include, path

handler500 = "trading.web.views.errors.server_error"
urlpatterns = [path("", include("trading.web.urls"))]
