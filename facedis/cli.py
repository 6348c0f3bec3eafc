"""The `facedis` program: a Typer app assembled from the entry points of `facedis.commands`."""

import os
import signal
import sys
import warnings
from typing import Annotated

import typer

from facedis import __version__, plugins
from facedis.commands.options import reflow
from facedis.errors import FacedisError

_STOPPED = "facedis: stopped; nothing that was finished is lost"
#: What a shell says of a program that ended by Ctrl-C, or by the SIGTERM of a cluster's scheduler.
_CTRL_C, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


def app() -> typer.Typer:
    """The whole app; only thin command modules are imported, never torch or numpy."""
    program = typer.Typer(
        name="facedis",
        help="Learn facial expression codes that carry expression and nothing else, and measure whether they do.",
        epilog="Start here, offline, in an empty folder: facedis align, facedis train --beta1 0, facedis eval.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_top)
    for name, point in plugins.discover(plugins.COMMANDS).items():
        command = plugins.load(point)
        if isinstance(command, typer.Typer):
            _reflow_group(command)
            program.add_typer(command, name=name)
        elif command is not None:
            program.command(name, help=reflow(command.__doc__ or ""))(command)
    return program


def _reflow_group(group: typer.Typer) -> None:
    for command in group.registered_commands:
        if command.callback is not None and command.help is None:
            command.help = reflow(command.callback.__doc__ or "")


def main() -> None:
    """Run the program; a user's mistake is one line on stderr and exit code 2."""
    warnings.showwarning = _show_warning
    signal.signal(signal.SIGTERM, _end)
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", "") == "strict":  # a name that a terminal cannot show must not end a command
            stream.reconfigure(errors="backslashreplace")
    try:
        app()()
    except FacedisError as error:
        print(f"facedis: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(_STOPPED, file=sys.stderr)
        sys.exit(_CTRL_C)
    except SystemExit as end:  # typer makes one of a Ctrl-C in a command, and says nothing
        if end.code in (_CTRL_C, _TERMINATED):
            print(_STOPPED, file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _end(*_: object) -> None:
    """Leave as an exception does, so that files are closed and a line says what happened."""
    sys.exit(_TERMINATED)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"facedis {__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Our own warnings as one line; those of libraries are not for the user."""
    if category is UserWarning and str(message).startswith(("facedis.", "plugin ")):
        print(f"facedis: warning: {message}", file=sys.stderr)
