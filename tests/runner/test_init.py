from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flow.cli import cli
from flow.config import find_project
from flow.runner.proposals import python_apps
from flow.runner.proposals.languages import detect

if TYPE_CHECKING:
    from pathlib import Path

TASKS = "from flow import cron, task\n@task(urgent=True)\ndef a(): ...\n"
CRON = '@cron("* * * * *")\n@task\ndef b(): ...\n'

# The files of a folder, its language, and a line of the proposal.
FOLDERS: list[tuple[dict[str, str], str, str]] = [
    ({"Gemfile": ""}, "Ruby", "web: bundle exec rackup config.ru --port $PORT"),
    (
        {"Gemfile": "", "config/application.rb": ""},
        "Ruby",
        "release: bin/rails db:migr",
    ),
    ({"Gemfile": 'gem "sidekiq"\n'}, "Ruby", "worker: bundle exec sidekiq"),
    ({"package.json": "{}"}, "Node.js", "web: node server.js"),
    ({"package.json": "broken"}, "Node.js", "web: node server.js"),
    ({"package.json": '{"scripts": {"start": "x"}}'}, "Node.js", "web: npm run start"),
    (
        {"package.json": '{"scripts": {"worker": "x"}}', "yarn.lock": ""},
        "Node.js",
        "worker: yarn worker",
    ),
    ({"project.clj": ""}, "Clojure", "web: java $JVM_OPTS -jar target/uberjar/"),
    (
        {"requirements.txt": "", "m.py": "app = FastAPI()"},
        "Python",
        "web: uvicorn m:app",
    ),
    ({"setup.py": "", "p/__init__.py": "x = Flask(1)"}, "Python", "web: gunicorn p:x"),
    ({"manage.py": "'shop.settings'"}, "Python", "web: gunicorn shop.wsgi"),
    ({"pyproject.toml": "", "s/tasks.py": TASKS}, "Python", "worker: flow worker"),
    ({"uv.lock": "", "t.py": TASKS}, "Python", "urgentworker: flow worker --urgent"),
    ({"uv.lock": "", "t.py": TASKS + CRON}, "Python", "clock: flow clock"),
    ({"shop.py": TASKS}, "Python", "worker: flow worker"),
    ({"main.py": "app = FastAPI()"}, "Python", "web: uvicorn main:app"),
    ({"pom.xml": ""}, "Java", "web: java $JAVA_OPTS -jar target/*.jar"),
    ({"pom.xml": "spring-boot"}, "Java", "web: java -Dserver.port=$PORT"),
    ({"gradlew": ""}, "Gradle", "web: java $JAVA_OPTS -jar build/libs/*.jar"),
    ({"build.sbt": 'name := "Shop"'}, "Scala", "web: target/universal/stage/bin/shop"),
    (
        {"composer.json": "", "public/i.php": ""},
        "PHP",
        "web: php -S 0.0.0.0:$PORT -t pub",
    ),
    ({"go.mod": "module x.org/me/shop\n"}, "Go", "web: bin/shop"),
    ({"go.mod": "module x.org/me/shop/v2\n"}, "Go", "web: bin/shop"),
    ({"go.mod": "module shop\ngo 1.25\n"}, "Go", "web: bin/shop"),
]


def made(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(("files", "language", "line"), FOLDERS)
def test_a_procfile_is_proposed_for_what_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    language: str,
    line: str,
) -> None:
    made(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(cli, ["init"])
    assert ended.exit_code == 0, ended
    assert language in ended.stderr
    text = (tmp_path / "Procfile").read_text()
    assert any(one.startswith(line) for one in text.splitlines()), text


def test_a_task_that_is_not_urgent_needs_no_urgent_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = TASKS.replace("urgent=True", "urgent=False")
    made(tmp_path, {"uv.lock": "", "t.py": tasks})
    monkeypatch.chdir(tmp_path)
    proposed = CliRunner().invoke(cli, ["init", "--dry-run"]).stdout
    assert proposed == "worker: flow worker\n"


@pytest.mark.parametrize(
    ("files", "app"),
    [
        ({"s/tasks.py": TASKS}, '"s.tasks"'),
        ({"a.py": TASKS, "b.py": TASKS}, '["a", "b"]'),
    ],
)
def test_an_app_that_nothing_names_is_told_what_to_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], app: str
) -> None:
    monkeypatch.delenv("FLOW_APP", raising=False)
    made(tmp_path, {"pyproject.toml": "# mine\n", **files})
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(cli, ["init"])
    assert f"[tool.flow]\napp = {app}\n" in said.stderr
    assert said.stdout == (tmp_path / "Procfile").read_text()
    assert (tmp_path / "pyproject.toml").read_text() == "# mine\n"
    (tmp_path / "pyproject.toml").write_text(f"[tool.flow]\napp = {app}\n")
    assert "[tool.flow]" not in CliRunner().invoke(cli, ["init", "--dry-run"]).stderr


def test_a_lone_module_of_tasks_becomes_an_app_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLOW_APP", raising=False)
    made(tmp_path, {"shop.py": TASKS})
    monkeypatch.chdir(tmp_path)
    tried = CliRunner().invoke(cli, ["init", "--dry-run"])
    assert '[tool.flow]\napp = "shop"\n' in tried.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shop.py"]
    said = CliRunner().invoke(cli, ["init"])
    assert "pyproject.toml names the app: shop" in said.stderr
    project = find_project(tmp_path)
    assert project is not None
    assert project.app == ("shop",)


def test_only_so_much_is_looked_at_and_no_other_project(tmp_path: Path) -> None:
    far = f"z{python_apps.FOLDERS}"
    other = {"vendor/other/.git/HEAD": "", "vendor/other/jobs.py": TASKS}
    made(tmp_path, {"shop.py": TASKS, "work/jobs.py": TASKS, **other})
    assert python_apps.look(tmp_path).tasks == ["shop", "work.jobs"]
    for n in range(python_apps.FOLDERS):
        (tmp_path / f"a{n}").mkdir()
    made(tmp_path, {f"{far}/jobs.py": TASKS})
    assert python_apps.look(tmp_path).tasks == ["shop"]


def test_the_first_language_in_herokus_order_counts(tmp_path: Path) -> None:
    made(tmp_path, {"go.mod": "", "package.json": "", "requirements.txt": ""})
    found = detect(tmp_path)
    assert found is not None
    assert found.name == "Node.js"


def test_a_procfile_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, {"go.mod": "", "Procfile": "web: mine\n"})
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(cli, ["init"])
    assert "never overwritten" in str(ended.exception)
    assert (tmp_path / "Procfile").read_text() == "web: mine\n"
    assert CliRunner().invoke(cli, ["init", "--dry-run"]).output.startswith("web: bin/")


@pytest.mark.parametrize("files", [{}, {"requirements.txt": "", "a.py": "def (:"}])
def test_a_folder_of_which_nothing_is_known_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    made(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["init"]).exception is not None
    assert not (tmp_path / "Procfile").exists()


def test_the_modules_of_the_app_are_read_but_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, {"uv.lock": "", "t.py": f"{TASKS}open('ran', 'w')\n"})
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    assert not (tmp_path / "ran").exists()
