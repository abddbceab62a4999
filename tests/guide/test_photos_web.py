"""The example's page, asked as a browser, and as an attacker, would."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any, cast

import pytest
from photos import samples
from photos.darkroom import Darkroom
from photos.records import STEPS
from photos.settings import MAX_BYTES

from tests.guide.site import site
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    import redis
    from photos.gallery import Gallery
    from photos.media import Media

    from tests.support.server import Server


@pytest.fixture
def page(server: Server, media: Media, project: Path) -> Iterator[httpx.Client]:
    with site(project, media.root, server.url) as client:
        yield client


def upload(page: httpx.Client, name: str, content: bytes) -> httpx.Response:
    return page.post("/pictures", files={"picture": (name, content)})


def state(page: httpx.Client) -> dict[str, Any]:
    return cast("dict[str, Any]", page.get("/state").raise_for_status().json())


def test_an_upload_is_shown_with_its_queued_jobs(
    page: httpx.Client, client: redis.Redis
) -> None:
    answer = upload(page, "sunrise.jpg", samples.paint(0)[1])

    assert answer.status_code == 201
    (picture,) = state(page)["pictures"]
    assert picture["id"] == answer.json()["id"]
    assert (picture["name"], picture["received_by"]) == ("sunrise.jpg", "web.1")
    assert [step["name"] for step in picture["steps"]] == list(STEPS)
    assert {step["state"] for step in picture["steps"]} == {"queued"}
    assert client.llen("rq:queue:urgent") == 1
    assert client.llen("rq:queue:default") == 4


def test_an_upload_of_what_is_made_already_queues_nothing(
    page: httpx.Client, client: redis.Redis, media: Media
) -> None:
    picture = upload(page, "one.jpg", samples.paint(0)[1]).json()["id"]
    darkroom = Darkroom(media)
    darkroom.palette(picture)
    for step in STEPS[:-1]:
        darkroom.resize(picture, step, 100)
    client.flushall()  # pyright: ignore[reportUnknownMemberType]

    assert upload(page, "two.jpg", samples.paint(0)[1]).status_code == 201

    assert client.exists("rq:queue:urgent", "rq:queue:default") == 0
    assert {step["state"] for step in state(page)["pictures"][0]["steps"]} == {
        "finished"
    }


def test_a_job_that_redis_forgot_is_shown_as_expired(
    page: httpx.Client, client: redis.Redis
) -> None:
    upload(page, "one.jpg", samples.paint(0)[1])
    client.flushall()  # pyright: ignore[reportUnknownMemberType]

    steps = state(page)["pictures"][0]["steps"]
    assert {step["state"] for step in steps} == {"expired"}


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"my notes", 415, "this is not a JPEG, PNG, WebP or GIF picture"),
        (samples.paint(0)[1][:20_000], 415, "the picture is damaged"),
        (b"", 415, "this is not"),
        (bytes(MAX_BYTES + 1), 413, "the file has more than 20 MB"),
        (bytes(MAX_BYTES + 1_000_000), 413, "the file has more than 20 MB"),
    ],
    ids=["text", "damaged", "empty", "large", "larger"],
)
def test_a_bad_file_is_refused_with_the_reason(
    page: httpx.Client, media: Media, content: bytes, code: int, reason: str
) -> None:
    answer = upload(page, "x.jpg", content)

    assert answer.status_code == code
    assert answer.json()["error"].startswith(reason)
    assert state(page)["pictures"] == []
    assert list(media.of_pictures()) == []


@pytest.mark.parametrize(
    "form",
    [
        {"files": {"other": ("x.jpg", b"x")}},
        {"data": {"picture": "text"}},
        {"content": b"no form"},
        {
            "content": b"garbage",
            "headers": {"content-type": "multipart/form-data; boundary=x"},
        },
    ],
)
def test_a_form_without_a_picture_is_refused(
    page: httpx.Client, form: dict[str, Any]
) -> None:
    answer = page.post("/pictures", **form)

    assert answer.status_code in {400, 415}
    assert answer.json()["error"]


def test_a_name_is_shown_and_never_used(page: httpx.Client, media: Media) -> None:
    name = "../../../tmp/<script>alert(1)<script>.jpg"
    answer = upload(page, name, samples.paint(0)[1])

    assert state(page)["pictures"][0]["name"] == "<script>alert(1)<script>.jpg"
    owners = {owner for owner, _ in media.of_pictures()}
    assert owners == {answer.json()["id"]}


def test_an_upload_that_breaks_off_leaves_nothing(
    page: httpx.Client, media: Media
) -> None:
    head = (
        f"POST /pictures HTTP/1.1\r\nHost: {page.base_url.netloc.decode()}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="picture"; filename="x"\r\n\r\n'
    )
    with socket.create_connection((page.base_url.host, page.base_url.port or 0)) as one:
        one.sendall(head.encode() + samples.paint(0)[1][:40_000])

    assert upload(page, "next.jpg", samples.paint(1)[1]).status_code == 201
    assert len(list(media.of_pictures())) == 1


def test_made_files_are_served_and_nothing_else(
    page: httpx.Client, media: Media
) -> None:
    picture = upload(page, "one.jpg", samples.paint(0)[1]).json()["id"]
    assert page.get(f"/pictures/{picture}/480.webp").status_code == 404

    Darkroom(media).resize(picture, "480", 480)

    made = page.get(f"/pictures/{picture}/480.webp")
    assert made.content == media.made(picture, "480").read_bytes()
    assert made.headers["content-type"] == "image/webp"
    assert (
        made.headers["content-disposition"] == f'inline; filename="{picture}-480.webp"'
    )
    assert made.headers["x-content-type-options"] == "nosniff"
    for path in (
        f"/pictures/{picture}/original.webp",
        "/pictures/../photos.sqlite3",
        f"/pictures/..%2foriginals%2f{picture}/480.webp",
        f"/pictures/{picture}/..%2f..%2fphotos.webp",
        "/static/../page.html",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
    ):
        assert page.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1"]
)
def test_writes_from_another_site_are_refused(
    page: httpx.Client, gallery: Gallery, origin: str
) -> None:
    kept = upload(page, "one.jpg", samples.paint(0)[1]).json()["id"]
    headers = {"Origin": origin}
    files = {"picture": ("two.jpg", samples.paint(1)[1])}

    answers = [
        page.post("/pictures", files=files, headers=headers),
        page.post("/contact-sheet", headers=headers),
        page.delete(f"/pictures/{kept}", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert [picture.id for picture in gallery.pictures()] == [kept]


def test_writes_from_the_page_itself_are_taken(page: httpx.Client) -> None:
    headers = {"Origin": f"http://{page.base_url.netloc.decode()}"}

    answer = page.post("/contact-sheet", headers=headers)

    assert answer.status_code == 202
    assert answer.json()["job"]


def test_another_name_for_this_machine_is_refused(page: httpx.Client) -> None:
    headers = {"Host": "evil.example"}

    assert page.get("/state", headers=headers).status_code == 400


def test_the_page_holds_no_script_and_names_only_files_that_are_there(
    page: httpx.Client,
) -> None:
    answer = page.get("/")

    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert f'data-max-bytes="{MAX_BYTES}"' in answer.text
    assert not re.search(r"<script[^>]*>[^<]", answer.text)
    names = re.findall(r'"(/static/[^"]+)"', answer.text)
    modules = [page.get(name) for name in names]
    for module in list(modules):
        modules += map(page.get, re.findall(r'from "(/static/[^"]+)"', module.text))
    assert len(modules) >= 5
    assert {module.status_code for module in modules} == {200}


def test_a_removed_picture_is_gone_from_the_page(page: httpx.Client) -> None:
    picture = upload(page, "one.jpg", samples.paint(0)[1]).json()["id"]

    assert page.delete(f"/pictures/{picture}").status_code == 204
    assert page.delete(f"/pictures/{picture}").status_code == 404
    assert state(page)["pictures"] == []


def test_without_redis_the_page_can_still_be_read_and_says_why(
    page: httpx.Client, server: Server
) -> None:
    upload(page, "one.jpg", samples.paint(0)[1])
    server.kill()

    (picture,) = state(page)["pictures"]
    assert {step["state"] for step in picture["steps"]} == {"unknown"}
    answer = upload(page, "two.jpg", samples.paint(1)[1])
    assert answer.status_code == 503
    assert answer.json()["error"]

    server.start()
    # The picture was kept: sent again, it is queued.
    wait_until(
        lambda: upload(page, "two.jpg", samples.paint(1)[1]).status_code == 201,
        timeout=30,
        waiting_for="Redis",
    )
    newest = state(page)["pictures"][0]
    assert {step["state"] for step in newest["steps"]} == {"queued"}


def test_without_its_tables_the_page_says_what_to_run(
    server: Server, tmp_path: Path, project: Path
) -> None:
    with site(project, tmp_path / "none", server.url) as page:
        answer = page.get("/state")

    assert answer.status_code == 503
    assert "run python -m photos.migrate first" in answer.json()["error"]
