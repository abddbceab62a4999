"""The pages about Redis against the scripts: keys, fields, states, commands."""

from __future__ import annotations

import inspect
import re
from fnmatch import fnmatchcase

from flow import keys
from flow.record import Status
from tests.support.pages import ROOT, acl, names, page, section

LUA = ROOT / "flow" / "store" / "lua"


def anonymous(key: str) -> str:
    return re.sub(r"<\w+>", "*", key)


def documented_keys() -> set[str]:
    return {
        anonymous(key)
        for key in names(section(page("keys-and-scripts.md"), "## Keys"))
        if ":" in key
    }


def python_keys() -> set[str]:
    """Return what flow/keys.py makes, a star for each argument, and RQ's fixed ones."""
    made = {
        value
        for value in vars(keys).values()
        if isinstance(value, str) and value.startswith(("rq:", "flow:"))
    }
    for function in vars(keys).values():
        if inspect.isfunction(function):
            made.add(function(*["*" for _ in inspect.signature(function).parameters]))
    store = "\n".join(path.read_text() for path in (ROOT / "flow/store").glob("*.py"))
    return made | set(re.findall(r'"((?:rq|flow):[\w:-]+)"', store))


def lua_keys() -> set[str]:
    """Return how the keys begin that the scripts make."""
    text = "\n".join(path.read_text() for path in LUA.rglob("*.lua"))
    return set(re.findall(r"'((?:rq|flow):[a-z][\w:-]*)'", text))


def test_every_key_of_the_code_is_in_the_catalogue() -> None:
    documented = documented_keys()
    missing = [
        key
        for key in python_keys()
        if not any(fnmatchcase(row, key) for row in documented)
    ]
    missing += [
        key for key in lua_keys() if not any(row.startswith(key) for row in documented)
    ]
    assert missing == []


def test_every_key_of_the_catalogue_is_in_the_code() -> None:
    registry = keys.registry("*", "*")
    patterns = python_keys() - {registry} | {
        keys.registry(status, "*") for status in Status
    }
    begins = tuple(key for key in lua_keys() if key.endswith(":"))
    unknown = [
        row
        for row in documented_keys()
        if not row.startswith(begins)
        and not any(fnmatchcase(row, key) for key in patterns)
    ]
    assert unknown == []


def test_every_field_that_flow_adds_to_a_job_is_explained() -> None:
    sources = [*LUA.rglob("*.lua"), ROOT / "flow" / "codec.py"]
    written = set(
        re.findall(
            r"['\"](flow_\w+)['\"]", "\n".join(path.read_text() for path in sources)
        )
    )
    explained = section(
        page("keys-and-scripts.md"), "### Fields of a job's hash that are flow's"
    )
    # A name that no hash has: it asks for nothing in the place of a large payload.
    # And one of a worker's hash.
    assert names(explained) == written - {"flow_none", "flow_order"}


def test_every_script_and_every_part_is_explained() -> None:
    text = page("keys-and-scripts.md")
    scripts = set(re.findall(r"^### (.+)$", section(text, "## Scripts"), re.MULTILINE))
    assert scripts == {path.stem for path in LUA.glob("*.lua")}
    assert names(section(text, "## Parts")) == {
        path.stem for path in (LUA / "parts").glob("*.lua")
    }


def test_every_state_is_explained_and_every_transition_names_scripts() -> None:
    text = page("states.md")
    assert names(section(text, "## The states")) == set(Status)
    for row in re.findall(
        r"^\|.*\|$", section(text, "## The transitions"), re.MULTILINE
    )[2:]:
        by = row.rsplit("|", 2)[1]
        scripts = re.findall(r"`(\w+)`", by) or [by.strip()]
        assert set(scripts) <= {path.stem for path in LUA.glob("*.lua")} | {
            "the server, by itself"
        }


def test_the_user_of_the_security_page_has_every_command_that_flow_sends() -> None:
    allowed = {word[1:].partition("|")[0] for word in acl() if word[0] == "+"}
    scripts = "\n".join(path.read_text() for path in LUA.rglob("*.lua"))
    store = "\n".join(path.read_text() for path in (ROOT / "flow/store").glob("*.py"))
    sent = re.findall(r"redis\.p?call\([^()]*?'([A-Z]+)'", scripts)
    sent += re.findall(r"'([LR]PUSH)'", scripts)
    sent += re.findall(r"command\(\s*(?:\*\()?\"([A-Z]+)", store)
    assert {word.lower() for word in sent} - allowed == set()
