"""The web process: one page, and what the page asks for."""

from __future__ import annotations

import re
import time
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flow.errors import FlowError
from photos.gallery import Gallery, NotMigrated
from photos.images import Refused, TooLarge
from photos.intake import accept
from photos.media import Media
from photos.records import STEPS
from photos.security import OwnPagesOnly
from photos.settings import MAX_BYTES, SETTINGS
from photos.status import status
from photos.tasks import contact_sheet, develop

if TYPE_CHECKING:
    from starlette.types import Message

HERE = Path(__file__).parent
MEDIA = Media(SETTINGS.media)
GALLERY = Gallery(MEDIA.database)
ENVELOPE = 10_000  # bytes that a form may put around its file
ID = re.compile(r"[0-9a-f]{32}")


def page(_request: Request) -> Response:
    """Answer with the page."""
    template = Template((HERE / "page.html").read_text(encoding="utf-8"))
    return HTMLResponse(template.substitute(max_bytes=MAX_BYTES))


def state(_request: Request) -> Response:
    """Answer with all that the page shows."""
    return JSONResponse(status(GALLERY), headers={"Cache-Control": "no-store"})


async def upload(request: Request) -> Response:
    """Take one picture in, and enqueue what is to be made of it."""
    async with _limited(request).form(max_files=1) as form:
        file = form.get("picture")
        if not isinstance(file, UploadFile):
            raise Refused("the form has no file named picture")
        # Reading pixels takes a while: in a thread, so that the page stays quick.
        picture = await run_in_threadpool(
            accept,
            file.file,
            file.filename or "",
            now=time.time(),
            media=MEDIA,
            gallery=GALLERY,
        )
    await run_in_threadpool(develop, picture)
    return JSONResponse({"id": picture}, 201)


def _limited(request: Request) -> Request:
    """Return the request, cut off where it gets larger than a picture may be."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > MAX_BYTES + ENVELOPE:
            raise TooLarge(f"the file has more than {MAX_BYTES >> 20} MB")
        return message

    return Request(request.scope, receive)


def remove(request: Request) -> Response:
    """Forget a picture; the clock's next round removes its files."""
    if not GALLERY.remove(request.path_params["picture"]):
        raise HTTPException(404, "there is no such picture")
    return Response(status_code=204)


def publish(_request: Request) -> Response:
    """Enqueue the contact sheet now, rather than at the next full minute."""
    return JSONResponse({"job": contact_sheet.enqueue().id}, 202)


def picture_file(request: Request) -> Response:
    """Answer with what a step has made; never with the original."""
    picture, step = request.path_params["picture"], request.path_params["step"]
    # Only these make a path: no name that somebody else chose ever does.
    if not ID.fullmatch(picture) or step not in STEPS:
        raise HTTPException(404, "there is no such picture")
    # The address holds the hash of the picture: it never shows another one.
    return _file(MEDIA.made(picture, step), "private, max-age=31536000, immutable")


def sheet_file(_request: Request) -> Response:
    """Answer with the contact sheet."""
    return _file(MEDIA.contact_sheet, "no-cache")


def _file(file: Path, cache: str) -> Response:
    if not file.exists():
        raise HTTPException(404, "it is not made yet")
    return FileResponse(
        file,
        media_type="image/webp",
        filename=file.name,
        content_disposition_type="inline",
        headers={"Cache-Control": cache},
    )


def _explain(_request: Request, error: Exception) -> Response:
    """Say in one sentence what went wrong; the page shows it."""
    match error:
        case HTTPException():
            return JSONResponse({"error": error.detail}, error.status_code)
        case TooLarge():
            return JSONResponse({"error": str(error)}, 413)
        case Refused():
            return JSONResponse({"error": str(error)}, 415)
        case ClientDisconnect():
            return Response(status_code=400)  # nobody is there to read it
        case _:
            return JSONResponse({"error": str(error)}, 503)


app = Starlette(
    routes=[
        Route("/", page),
        Route("/state", state),
        Route("/pictures", upload, methods=["POST"]),
        Route("/pictures/{picture}", remove, methods=["DELETE"]),
        Route("/pictures/{picture}/{step}.webp", picture_file),
        Route("/contact-sheet", publish, methods=["POST"]),
        Route("/contact-sheet.webp", sheet_file),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ],
    middleware=[
        Middleware(TrustedHostMiddleware, allowed_hosts=list(SETTINGS.hosts)),
        Middleware(OwnPagesOnly),
    ],
    exception_handlers=dict.fromkeys(
        (HTTPException, Refused, ClientDisconnect, FlowError, NotMigrated), _explain
    ),
)
