"""The `facedis` program: a Typer app assembled from the entry points of `facedis.commands`."""

import io
import os
import signal
import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer

from facedis import __version__, plugins
from facedis.commands.common.options import reflow
from facedis.errors import FacedisError

#: Base of the errors of the command line; newer versions of Typer bring their own copy of Click.
_ClickException: type[Exception] = typer.BadParameter.__bases__[0].__bases__[0]
_STOPPED = "facedis: stopped; nothing that was finished is lost"
#: Exit codes after Ctrl-C and after SIGTERM.
_CTRL_C, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


def app() -> typer.Typer:
    """The whole app; only thin command modules are imported, never torch or numpy."""
    program = typer.Typer(
        name="facedis",
        help="Disentangled facial expression codes: training, evaluation, similarity and swaps.",
        epilog="Quick start, offline, in an empty folder: facedis align, facedis train --beta1 0, facedis eval.",
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
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    signal.signal(signal.SIGTERM, _end)
    for stream in (sys.stdout, sys.stderr):
        # A name that a terminal cannot show must not end a command.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(typer.main.get_command(app()).main(prog_name="facedis", standalone_mode=False) or 0)
    except FacedisError as error:
        print(f"facedis: {error}", file=sys.stderr)
        sys.exit(2)
    except _ClickException as error:
        _exit_with_usage(error)
    except (KeyboardInterrupt, typer.Abort):  # typer turns a Ctrl-C in a command into Abort
        print(_STOPPED, file=sys.stderr)
        sys.exit(_CTRL_C)
    except SystemExit as end:
        if end.code in (_CTRL_C, _TERMINATED):
            print(_STOPPED, file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _exit_with_usage(error: Any) -> NoReturn:
    """One line about a mistake on the command line; the help if nothing was typed."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        sys.exit(error.exit_code)
    message = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context else ""
    print(f"facedis: {message[:1].lower()}{message[1:]}{hint}", file=sys.stderr)
    sys.exit(error.exit_code)


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
    """Print warnings of facedis as one line; drop those of libraries."""
    if category is UserWarning and str(message).startswith(("facedis.", "plugin ")):
        print(f"facedis: warning: {message}", file=sys.stderr)
