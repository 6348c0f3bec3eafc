"""`facedis models`: the models that are here, and making one to give away."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, Overwrite, Quiet, event_handler, model_or_newest, show
from facedis.errors import ConfigError, RunError

_PACK, _PUSH = "Packing", "Pushing"
_ACTIONS = ("list", "show", "card", "verify", "pack", "push")


def models(
    action: Annotated[
        str,
        typer.Argument(
            help="list (those inside the package), show (settings and sizes), card (the model card), verify (every "
            "file and a face), pack (a run into a model to give away), or push (that to a hub).",
            metavar="ACTION",
        ),
    ] = "list",
    model: Annotated[
        str | None,
        typer.Argument(
            help="A run folder, a packed model's folder, hf:OWNER/NAME, or a name of `list`. Default: the newest run, "
            "else the bundled model; of `verify` the bundled one.",
            show_default=False,
        ),
    ] = None,
    repo: Annotated[str | None, typer.Argument(help="Of `push`: OWNER/NAME on the hub.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Of `pack`: the folder to write. Of `card`: a file instead of stdout."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What the packed model is called. Default: as the folder.", rich_help_panel=_PACK),
    ] = None,
    result: Annotated[
        list[Path] | None,
        typer.Option(
            help="A result.json of the run that lies elsewhere than in its eval-* folders; again for another.",
            rich_help_panel=_PACK,
        ),
    ] = None,
    overwrite: Overwrite = False,
    private: Annotated[
        bool,
        typer.Option("--private", help="A new place on the hub is not for everybody.", rich_help_panel=_PUSH),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Look at models, pack a run into one folder with its card and checksums, or push that to a hub.

    A packed model is complete: tensors in half precision, how to rebuild it, the model card, the
    records it was measured with, and the SHA-256 of each file. `verify` compares these and asks the
    model about a face; a damaged one ends with exit code 2.
    """
    _check(action, model, repo, output, name or result or overwrite)
    if action == "list":
        _list(as_json, quiet)
    elif action == "show":
        _show(model, as_json, quiet)
    elif action == "card":
        _card(model, output, as_json, quiet)
    elif action == "verify":
        _verify(model, as_json, quiet)
    elif action == "pack":
        _pack(model, (output or Path("model"), name, overwrite), result or [], as_json, quiet)
    else:
        _push(str(model), str(repo), private, as_json, quiet)


def _check(action: str, model: str | None, repo: str | None, output: Path | None, packing: object) -> None:
    if action not in _ACTIONS:
        raise ConfigError(f"facedis models cannot '{action}'", f"choose one of: {', '.join(_ACTIONS)}")
    if action == "list" and model is not None:
        raise ConfigError("facedis models list takes no model", f"see it with `facedis models show {model}`")
    if action == "pack" and output is None:
        raise ConfigError("facedis models pack needs a folder to write", "name one with -o")
    if action == "push" and repo is None:
        raise ConfigError("facedis models push needs a folder and a place", "facedis models push FOLDER OWNER/NAME")
    if action != "push" and repo is not None:
        raise ConfigError(f"facedis models {action} takes one model", "leave out the others")
    if action not in ("pack", "card") and output is not None:
        raise ConfigError("--output says nothing here", "it belongs to pack and card")
    if action != "pack" and packing:
        raise ConfigError("--name, --result and --overwrite say nothing here", "they belong to pack")


def _list(as_json: bool, quiet: bool) -> None:
    from facedis.reports.terminal.models import render_list
    from facedis.tasks.packaging.model_verification import list_models

    show(list_models(), render_list, as_json, quiet)


def _show(model: str | None, as_json: bool, quiet: bool) -> None:
    from facedis.reports.terminal.models import render_model
    from facedis.tasks.packaging.model_verification import show_model

    show(show_model(model_or_newest(model, as_json, quiet)), render_model, as_json, quiet)


def _card(model: str | None, output: Path | None, as_json: bool, quiet: bool) -> None:
    from facedis.atomic_io import write_text
    from facedis.reports.cards.card import card
    from facedis.result import record
    from facedis.tasks.packaging.model_metadata import collect_results, describe_model

    run = model_or_newest(model, as_json, quiet)
    known = describe_model(run, collect_results(run))
    text = card(known)
    if output is not None:
        write_text(output, text)
    found = record("model_card", model=run.display_name, card=text, output=None if output is None else str(output))
    if output is None and not as_json and not quiet:
        typer.echo(text, nl=False)  # as it is, so that it can be piped
    else:
        show(found, lambda _: [f"Written: {output}"], as_json, quiet)


def _verify(model: str | None, as_json: bool, quiet: bool) -> None:
    from facedis.reports.terminal.models import render_verification
    from facedis.tasks.packaging.model_verification import verify_model

    found = verify_model(model)
    show(found, render_verification, as_json, quiet)
    if not found["whole"]:
        bad = next((f"{each['file']} {each['trouble']}" for each in found["files"] if each["trouble"]), "")
        why = bad or f"its answers to its own face differ by {found['furthest']:.1g} from those when it was packed"
        raise RunError(f"{found['model']} is damaged: {why}", "install or fetch it anew")


def _pack(
    model: str | None, place: tuple[Path, str | None, bool], results: list[Path], as_json: bool, quiet: bool
) -> None:
    from facedis.reports.cards.card import card
    from facedis.reports.terminal.models import render_packing
    from facedis.tasks.packaging.model_metadata import collect_results
    from facedis.tasks.packaging.packing import PackageTarget, pack

    run, (folder, name, overwrite) = model_or_newest(model, as_json, quiet), place
    target = PackageTarget(folder, name or folder.resolve().name, overwrite)
    show(
        pack(run, collect_results(run, results), card, target, event_handler(as_json, quiet)),
        render_packing,
        as_json,
        quiet,
    )


def _push(model: str, repo: str, private: bool, as_json: bool, quiet: bool) -> None:
    from facedis.model.storage.hub import push_model
    from facedis.model.storage.registry import model_folder
    from facedis.result import record

    folder = model_folder(model)
    address = push_model(folder, repo, private)
    found = record("model_pushed", model=model, repo=repo, address=address)
    show(found, lambda _: [f"Pushed: {address}", f"Use it: --model hf:{repo}"], as_json, quiet)
