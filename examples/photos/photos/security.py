"""What keeps other people's pages away from this one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # Nothing but the app's own files; not even a script inside a page.
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    # A file is what its Content-Type says, whatever its bytes look like.
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
SAFE = {"GET", "HEAD", "OPTIONS"}


class OwnPagesOnly:
    """Refuses writes that another site's page sends, and sets safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] in SAFE or _same_origin(Headers(scope=scope)):
            await self.app(scope, receive, send_safely)
        else:
            refusal = JSONResponse({"error": "refused: sent by another site"}, 403)
            await refusal(scope, receive, send_safely)


def _same_origin(headers: Headers) -> bool:
    # Browsers name the sending page in every write; curl and scripts name none.
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
