"""Which language a folder is in, and the processes that its apps usually have."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flow.runner.proposals.proposal import text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flow.runner.proposals.proposal import Proposal

NAMED = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Language:
    """A language that Heroku detects.

    Args:
        name: what it is called.
        signs: files, one of which must be there.
        propose: returns the processes of a folder.
    """

    name: str
    signs: tuple[str, ...]
    propose: Callable[[Path], Proposal]


def detect(folder: Path) -> Language | None:
    """Return the folder's language: the first in Heroku's order that is found.

    The order is that of devcenter.heroku.com/articles/buildpacks. Where none of their
    files is there yet, Python modules with tasks or a web app are enough.
    """
    for language in LANGUAGES:
        if any((folder / sign).is_file() for sign in language.signs):
            return language
    return PYTHON if _python(folder) else None


def _ruby(folder: Path) -> Proposal:
    gems = text_of(folder / "Gemfile")
    found = {"web": "bundle exec rackup config.ru --port $PORT"}
    if (folder / "config" / "application.rb").is_file():
        found["release"] = "bin/rails db:migrate"
        found["web"] = "bin/rails server --port $PORT"
    if re.search(r"""^\s*gem ["']sidekiq["']""", gems, re.MULTILINE):
        found["worker"] = "bundle exec sidekiq"
    return found


def _node(folder: Path) -> Proposal:
    scripts = _scripts(folder / "package.json")
    run = "yarn" if (folder / "yarn.lock").is_file() else "npm run"
    run = "pnpm run" if (folder / "pnpm-lock.yaml").is_file() else run
    found = {"web": f"{run} start" if "start" in scripts else "node server.js"}
    found |= {
        name: f"{run} {name}" for name in ("worker", "release") if name in scripts
    }
    return found


def _scripts(path: Path) -> dict[str, Any]:
    try:
        package: object = json.loads(text_of(path))
    except ValueError:
        return {}
    table = cast("dict[str, object]", package) if isinstance(package, dict) else {}
    scripts = table.get("scripts")
    return cast("dict[str, Any]", scripts) if isinstance(scripts, dict) else {}


def _clojure(folder: Path) -> Proposal:
    del folder
    return {"web": "java $JVM_OPTS -jar target/uberjar/*-standalone.jar"}


def _java(folder: Path) -> Proposal:
    spring = (
        "-Dserver.port=$PORT " if "spring-boot" in text_of(folder / "pom.xml") else ""
    )
    return {"web": f"java {spring}$JAVA_OPTS -jar target/*.jar"}


def _gradle(folder: Path) -> Proposal:
    build = text_of(folder / "build.gradle") + text_of(folder / "build.gradle.kts")
    spring = "-Dserver.port=$PORT " if "springframework.boot" in build else ""
    return {"web": f"java {spring}$JAVA_OPTS -jar build/libs/*.jar"}


def _scala(folder: Path) -> Proposal:
    found = re.search(r'\bname\s*:=\s*"([^"]+)"', text_of(folder / "build.sbt"))
    name = found[1] if found and NAMED.fullmatch(found[1]) else folder.name
    return {"web": f"target/universal/stage/bin/{name.lower()} -Dhttp.port=$PORT"}


def _php(folder: Path) -> Proposal:
    if (folder / "artisan").is_file():
        return {"web": "php artisan serve --host 0.0.0.0 --port $PORT"}
    root = " -t public" if (folder / "public").is_dir() else ""
    return {"web": f"php -S 0.0.0.0:$PORT{root}"}


def _go(folder: Path) -> Proposal:
    found = re.search(r"^module\s+(\S+)", text_of(folder / "go.mod"), re.MULTILINE)
    # go build makes "shop" of example.org/shop/v2, too: the end is its version.
    path = re.sub(r"/v\d+$", "", found[1]) if found else ""
    module = path.rpartition("/")[2]
    return {"web": f"bin/{module if NAMED.fullmatch(module) else folder.name}"}


def _python(folder: Path) -> Proposal:
    from flow.runner.proposals.python_apps import propose  # noqa: PLC0415 - ast is for Python only

    return propose(folder)


PYTHON = Language(
    "Python",
    (
        "requirements.txt",
        "pyproject.toml",
        "uv.lock",
        "poetry.lock",
        "Pipfile",
        "setup.py",
        "manage.py",
    ),
    _python,
)
LANGUAGES = (
    Language("Ruby", ("Gemfile",), _ruby),
    Language("Node.js", ("package.json",), _node),
    Language("Clojure", ("project.clj",), _clojure),
    PYTHON,
    Language("Java", ("pom.xml",), _java),
    Language("Gradle", ("gradlew", "build.gradle", "build.gradle.kts"), _gradle),
    Language("Scala", ("build.sbt",), _scala),
    Language("PHP", ("composer.json", "index.php"), _php),
    Language("Go", ("go.mod",), _go),
)
