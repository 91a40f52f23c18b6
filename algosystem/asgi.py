"""The ASGI application: pages by Django, WebSockets by Channels."""

import os
import warnings

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "algosystem.settings")
# WhiteNoise serves small files by a synchronous iterator, which Django reads in a thread: fine at this size.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
pages = get_asgi_application()  # loads the apps, so it stands before whatever imports a model

from algosystem.origins import OwnOrigin  # noqa: E402
from algosystem.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": OwnOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
