"""flow clock list, preview, history and the verbs, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.scheduler.clocks import Site, queued, ticks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.support.server import Server

SHOP = """\
from flow import cron, every, task


@every(1, catch_up="all")
@task
def beat() -> None: ...


@cron("30 1 * * *", tz="Europe/London", overlap="skip")
@task
def report(word: str = "") -> None: ...
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """An app with two schedules."""
    site = Site(tmp_path / "an app", server.url, SHOP)
    yield site
    site.end()


def say(site: Site, *words: str, code: int = 0) -> str:
    ended = site.run(*words)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def test_a_dry_run_writes_nothing(site: Site, client: redis.Redis) -> None:
    told = say(site, "--dry-run")
    assert "beats-beat    new" in told
    assert "at 01:30 every day, Europe/London" in told
    assert not list(client.scan_iter("flow:*"))  # pyright: ignore[reportUnknownMemberType]


def test_what_a_clock_did_is_shown(site: Site, client: redis.Redis) -> None:
    clock = site.clock()
    wait_until(lambda: len(ticks(client)) > 1, timeout=60, waiting_for="two ticks")
    assert say(site, "--dry-run").count("as it is") == 2
    told = say(site, "list")
    assert f".{clock.pid} leads; time zones of 20" in told
    assert "overlap skip" in told
    listed: dict[str, Any] = json.loads(say(site, "list", "--json"))
    beat = listed["schedules"][0]
    assert (beat["id"], beat["source"]) == ("beats-beat", "declared")
    assert beat["late"] >= 0
    notes: list[dict[str, Any]] = json.loads(
        say(site, "history", "beats-beat", "--count", "2", "--json")
    )
    assert [note["outcome"] for note in notes] == ["fired", "fired"]
    assert notes[0]["tick"] == notes[1]["tick"] + 1000
    assert "beats-beat  fired" in say(site, "history")


def test_edits_take_effect_in_a_clock_that_runs(
    site: Site, client: redis.Redis
) -> None:
    site.clock()
    wait_until(lambda: ticks(client), timeout=60, waiting_for="a tick")
    assert "is paused" in say(site, "pause", "beats-beat")
    count = len(ticks(client))
    told = say(site, "run-now", "beats-report").split()
    assert told[1] in queued(client)
    # Some seconds have passed, in which the schedule would have ticked.
    assert "paused already" in say(site, "pause", "beats-beat")
    assert len(ticks(client)) == count
    assert "goes on" in say(site, "resume", "beats-beat")
    assert "was not paused" in say(site, "resume", "beats-beat")
    wait_until(lambda: len(ticks(client)) > count, timeout=60, waiting_for="a tick")


def test_an_expression_is_previewed_without_a_server(
    site: Site, server: Server
) -> None:
    server.kill()
    told = say(
        site,
        *("preview", "30 1 * * *", "--tz", "Europe/London"),
        *("--from", "2026-03-28", "--count", "3"),
    )
    assert "Sun 2026-03-29 02:00:00 BST" in told
    assert "the clocks go forward by 1:00:00" in told
    data: dict[str, Any] = json.loads(
        say(
            site,
            *("preview", "*/30 1 * * *", "--tz", "Europe/London", "--json"),
            *("--from", "2026-10-25", "--count", "4"),
        )
    )
    assert [tick["notes"] for tick in data["ticks"]] == [
        ["01:00 comes twice: the first"],
        ["01:30 comes twice: the first"],
        ["01:00 comes twice: the second"],
        ["01:30 comes twice: the second"],
    ]


def test_the_schedules_of_the_app_are_previewed_without_a_server(
    site: Site, server: Server
) -> None:
    server.kill()
    assert "beats-beat: every second" in say(site, "preview", "--count", "3")
    told = say(site, "preview", "beats-report", "--from", "2026-01-01")
    assert "Thu 2026-01-01 01:30:00 GMT" in told
    told = say(site, "preview", "made-by-upsert", code=2)
    assert "neither an expression of five fields nor declared: no answer" in told


def test_a_schedule_is_made_and_changed_by_a_command(
    site: Site, client: redis.Redis
) -> None:
    words = ("upsert", "mail", "beats.report", "--kwargs", '{"word": "all"}')
    told = say(site, *words, "--cron", "0 7 * * *", "--tz", "Europe/London")
    assert "mail: at 07:00 every day, Europe/London; next " in told
    policies = ("--catch-up", "all", "--maximum", "9", "--overlap", "skip")
    say(site, *words, "--every", "60", *policies, "--jitter", "2.5")
    listed: dict[str, Any] = json.loads(say(site, "list", "--json"))
    (mail,) = listed["schedules"]
    assert (mail["rule"]["spec"], mail["title"]) == ("60", "beats.report(word='all')")
    chosen = {"catch_up": "all", "maximum": 9, "overlap": "skip", "jitter": 2.5}
    assert mail["policy"] == chosen
    job = say(site, "run-now", "mail").split()[1]
    assert say(site, "remove", "mail") == "mail is removed\n"
    assert job in say(site, "history", "mail")
    assert site.schedules(client) == set()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("upsert", "a", "beats.nope", "--every", "1"), "known: beats.beat, beats.re"),
        (("upsert", "a", "beats.beat"), "give either cron= or every="),
        (("upsert", "a", "beats.beat", "--every", "1", "--args", "{}"), "not a list"),
        (("upsert", "a", "beats.beat", "--every", "1", "--kwargs", "{"), "is no JSON"),
        (("upsert", "a", "beats.beat", "--every", "1", "--args", "[1]"), "be called"),
        (("pause", "none"), "there is no schedule 'none' of beats"),
        (("history", "none"), "there is no schedule 'none' of beats"),
        (("remove", "none"), "there is no schedule 'none' of beats"),
        (("preview", "none"), "neither an expression of five fields nor declared"),
        (("preview", "61 * * * *"), "61"),
        (("preview", "beats-beat", "--from", "tomorrow"), "is no instant"),
        (
            ("backfill", "beats-beat", "--from", "2026-01-01", "--to", "2026-01-02"),
            "no instant with a zone",
        ),
    ],
)
def test_bad_input_is_one_clear_line(
    site: Site, words: tuple[str, ...], says: str
) -> None:
    told = say(site, *words, code=2)
    assert told.startswith("flow: ")
    assert told.count("\n") == 1
    assert says in told


def test_skip_next_backfill_and_remove(site: Site, client: redis.Redis) -> None:
    site.clock().stop()
    assert "leaves out 2" in say(site, "skip-next", "beats-report", "--count", "2")
    assert "(skips 2)" in say(site, "list")
    start = ("--from", "2026-07-01T00:00+01:00", "--to", "2026-07-04T00:00+01:00")
    assert "enqueued 3 jobs" in say(site, "backfill", "beats-report", *start)
    assert len([one for one in queued(client) if "report" in one]) == 3
    assert "the app declares" in say(site, "remove", "beats-report", code=2)


def test_a_clock_that_stands_by_is_healthy(site: Site, client: redis.Redis) -> None:
    health = [sys.executable, "-m", "flow", "health", "clock", "--redis-url", site.url]
    ask = partial(subprocess.run, health, cwd=site.folder, capture_output=True)
    none = ask(text=True)
    assert (none.returncode, none.stdout) == (1, "")
    assert "clock: none runs on" in none.stderr
    site.clock().stop()
    say(site, "pause", "beats-beat")  # an overdue tick would depose a silent leader
    client.set("flow:clock:beats:leader", "7:elsewhere.1", px=600_000)
    site.clock()
    wait_until(lambda: ask().returncode == 0, timeout=60, waiting_for="its first beat")
    assert site.leader(client) is None
    assert "elsewhere.1 leads" in say(site, "list")
