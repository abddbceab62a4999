"""What a Python folder holds, read without importing any of it."""

from __future__ import annotations

import ast
import re
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from flow.runner.proposals.proposal import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flow.runner.proposals.proposal import Proposal

SERVERS = {  # what makes an app, and what serves it
    "FastAPI": "uvicorn {} --host 0.0.0.0 --port $PORT",
    "Starlette": "uvicorn {} --host 0.0.0.0 --port $PORT",
    "Flask": "gunicorn {} --bind 0.0.0.0:$PORT",
}
SKIPPED = re.compile(r"[._]|(?:tests?|venv|env|node_modules|build|dist|docs)$")
MOST = 2000  # files looked at; a folder with more has its Procfile written by hand
FOLDERS = 500  # looked into: one that is no project may have any number below it


@dataclass(slots=True)
class Found:
    """What the modules of a folder declare.

    Args:
        apps: the web apps, as ``module:name`` by the name of their class.
        tasks: modules with tasks of flow.
        urgent: whether one of the tasks is urgent.
        scheduled: whether one of them recurs.
    """

    apps: dict[str, str] = field(default_factory=dict[str, str])
    tasks: list[str] = field(default_factory=list[str])
    urgent: bool = False
    scheduled: bool = False


def propose(folder: Path) -> Proposal:
    """Return the processes of a Python app, those of its flow tasks among them."""
    found = look(folder)
    commands: Proposal = {}
    settings = re.search(
        r"""["'](\w+)(?:\.\w+)*\.?settings""", text_of(folder / "manage.py")
    )
    if (folder / "manage.py").is_file():
        package = settings[1] if settings else folder.name
        commands["release"] = "python manage.py migrate"
        commands["web"] = f"gunicorn {package}.wsgi --bind 0.0.0.0:$PORT"
    for maker, command in SERVERS.items():
        if maker in found.apps:
            commands.setdefault("web", command.format(found.apps[maker]))
    if found.tasks:
        commands["worker"] = "flow worker"
        if found.urgent:
            commands["urgentworker"] = "flow worker --urgent"
        if found.scheduled:
            commands["clock"] = "flow clock"
    return commands


def look(folder: Path) -> Found:
    """Return what the modules of a folder declare; broken ones are passed over."""
    found = Found()
    for path in islice(_modules(folder), MOST):
        source = text_of(path)
        if not re.search(r"\bflow\b|" + "|".join(SERVERS), source):
            continue
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            _read(ast.parse(source), name, found)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return found


def _modules(folder: Path) -> Iterator[Path]:
    """Give the Python files, the nearest first; what is another project's is not."""
    folders = deque([folder])
    for _ in range(FOLDERS):
        if not folders:
            return
        try:
            inside = sorted(folders.popleft().iterdir())
        except OSError:
            continue
        yield from (path for path in inside if _is_module(path))
        folders += [path for path in inside if _is_part(path)]


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" and path.is_file()


def _is_part(path: Path) -> bool:
    if SKIPPED.match(path.name) or path.is_symlink() or not path.is_dir():
        return False
    return not (path / ".git").exists()


def _read(tree: ast.Module, module: str, found: Found) -> None:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            maker, target = _name(statement.value), statement.targets[0]
            if maker in SERVERS and isinstance(target, ast.Name):
                found.apps.setdefault(maker, f"{module}:{target.id}")
    if not _imports_flow(tree):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _read_task(node, module, found)


def _read_task(
    function: ast.FunctionDef | ast.AsyncFunctionDef, module: str, found: Found
) -> None:
    names = {_name(decorator) for decorator in function.decorator_list}
    if not names & {"task", "cron", "every"}:
        return
    if module not in found.tasks:
        found.tasks.append(module)
    found.scheduled |= bool(names & {"cron", "every"})
    found.urgent |= any(
        keyword.arg == "urgent" and not _is_false(keyword.value)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _imports_flow(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and node.module == "flow")
        or (isinstance(node, ast.Import) and any(a.name == "flow" for a in node.names))
        for node in tree.body
    )


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
