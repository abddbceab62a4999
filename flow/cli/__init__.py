"""The command line: one module per group of commands, loaded when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from flow import __version__
from flow.errors import FlowError

COMMANDS = {
    "start": ("flow.cli.start", "start", "Start every process of the Procfile."),
    "run": ("flow.cli.run", "run", "Run one command in the app's environment."),
    "run:detached": ("flow.cli.run", "detached", "Run it in the running session."),
    "ps": ("flow.cli.ps", "ps", "Show the processes of the running session."),
    "ps:scale": ("flow.cli.ps", "scale", "Change how many of a type run."),
    "ps:restart": ("flow.cli.ps", "restart", "Restart processes."),
    "ps:stop": ("flow.cli.ps", "stop_dynos", "Stop processes; they stay down."),
    "deploy": ("flow.cli.deploy", "deploy", "Release the code, replace what runs."),
    "releases:rollback": ("flow.cli.deploy", "rollback", "Go back to a release."),
    "logs": ("flow.cli.logs", "logs", "Print what the processes wrote."),
    "attach": ("flow.cli.attach", "attach", "Type into a process."),
    "stop": ("flow.cli.ps", "stop", "End the running session."),
    "check": ("flow.cli.check", "check", "Say what is wrong with Procfile and .env."),
    "env": ("flow.cli.env", "env", "Print a process's environment, with origins."),
    "config": ("flow.cli.config", "config", "Show the config vars, or change them."),
    "releases": ("flow.cli.releases", "releases", "Show the releases."),
    "init": ("flow.cli.init", "init", "Propose a Procfile for this folder."),
    "worker": ("flow.cli.worker", "worker", "Run jobs."),
    "workers": ("flow.cli.workers", "workers", "Show the workers that live."),
    "workers:quiet": ("flow.cli.workers", "quiet", "Have one take nothing new."),
    "workers:resume": ("flow.cli.workers", "resume", "Have it take jobs again."),
    "clock": ("flow.cli.clock", "clock", "Enqueue what is due: cron, delays, retries."),
    "queues": (
        "flow.cli.queues",
        "queues",
        "Show the queues: what waits, runs, failed.",
    ),
    "queues:pause": ("flow.cli.queues", "pause", "Have nothing taken from a queue."),
    "queues:resume": ("flow.cli.queues", "resume", "Have a queue taken from again."),
    "health": ("flow.cli.health", "health", "Say whether a role of this host lives."),
    "redis": ("flow.cli.redis", "redis", "The project's own embedded server."),
}


class Commands(click.Group):
    """The commands by name; a module is imported when its command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order that a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, importing its module."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take ``ps scale`` for ``ps:scale`` and the reverse, as Heroku does."""
        if ":".join(args[:2]) in COMMANDS:
            args = [":".join(args[:2]), *args[2:]]
        elif args[0] not in COMMANDS:
            args = [*args[0].split(":"), *args[1:]]
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, text) for name, (_, _, text) in COMMANDS.items()]
            )


HELP = """Run an app's web process, workers and clock, here or one by one.

\b
flow start              everything in the Procfile, in one terminal
flow worker --urgent    one role, anywhere

The app is named once: [tool.flow] app = "shop.tasks" in pyproject.toml,
FLOW_APP, or --app. Redis is --redis-url, else REDIS_URL, else the server that
flow start runs in the project.
"""


@click.group(
    help=HELP, cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "--version", prog_name="flow")
def cli() -> None:
    """Be the command line."""


def main() -> NoReturn:
    """Run the command line; an error of flow is one line and exit code 2."""
    try:
        code = cli.main(prog_name="flow", standalone_mode=False)
    except FlowError as error:
        _fail(str(error), 2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # Nobody reads any more; Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"flow: {message}", err=True)
    sys.exit(code)
