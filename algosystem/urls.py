"""Every address of the site comes from the web package, and the API's from the API's."""

from django.urls import include, path

handler500 = "trading.web.views.errors.server_error"
urlpatterns = [path("api/", include("trading.api.urls")), path("", include("trading.web.urls"))]
