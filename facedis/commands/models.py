"""`facedis models`: list, inspect, verify and pack models."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.shared import AsJson, Overwrite, Quiet, event_handler, model_or_newest, show
from facedis.errors import RunError

app = typer.Typer(no_args_is_help=True, help="List, inspect, verify and pack models.")
ModelArgument = Annotated[
    str | None,
    typer.Argument(
        help="Run folder, packed model, hf:OWNER/NAME, or a name from `facedis models list`.",
        show_default="the newest run in ./runs, else bundled",
    ),
]


@app.command("list")
def list_(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List the models that are part of the package."""
    from facedis.reports.terminal.models import render_list
    from facedis.tasks.packaging.model_verification import list_models

    show(list_models(), render_list, as_json, quiet)


@app.command("show")
def show_(model: ModelArgument = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Show the settings and sizes of a model."""
    from facedis.reports.terminal.models import render_model
    from facedis.tasks.packaging.model_verification import show_model

    show(show_model(model_or_newest(model, as_json, quiet)), render_model, as_json, quiet)


@app.command()
def card(
    model: ModelArgument = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", show_default="standard output")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show or write the model card."""
    from facedis.atomic_io import write_text
    from facedis.reports.cards.card import card as model_card
    from facedis.result import record
    from facedis.tasks.packaging.model_metadata import collect_results, describe_model

    run = model_or_newest(model, as_json, quiet)
    text = model_card(describe_model(run, collect_results(run)))
    if output is not None:
        write_text(output, text)
    found = record("model_card", model=run.display_name, card=text, output=None if output is None else str(output))
    if output is None and not as_json and not quiet:
        typer.echo(text, nl=False)  # unchanged, so that it can be piped
    else:
        show(found, lambda _: [f"Written: {output}"], as_json, quiet)


@app.command()
def verify(
    model: Annotated[
        str | None, typer.Argument(help="Packed model, or a name from `facedis models list`.", show_default="bundled")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check the files of a packed model and its output for one face. Exit code 2 if it is damaged."""
    from facedis.reports.terminal.models import render_verification
    from facedis.tasks.packaging.model_verification import verify_model

    found = verify_model(model)
    show(found, render_verification, as_json, quiet)
    if not found["whole"]:
        bad = next((f"{each['file']} {each['trouble']}" for each in found["files"] if each["trouble"]), "")
        why = bad or f"its output for its own face differs by {found['furthest']:.1g} from that when it was packed"
        raise RunError(f"{found['model']} is damaged: {why}", "install or download it again")


@app.command()
def pack(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    model: ModelArgument = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the packed model.", show_default="the name of the folder")
    ] = None,
    result: Annotated[
        list[Path] | None,
        typer.Option(help="result.json of the model outside of its eval-* folders; repeatable.", show_default="none"),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack a run into one folder: half-precision tensors, model card, results and SHA-256 checksums."""
    from facedis.reports.cards.card import card as model_card
    from facedis.reports.terminal.models import render_packing
    from facedis.tasks.packaging.model_metadata import collect_results
    from facedis.tasks.packaging.packing import PackageTarget
    from facedis.tasks.packaging.packing import pack as run_packing

    run = model_or_newest(model, as_json, quiet)
    target = PackageTarget(output, name or output.resolve().name, overwrite)
    results = collect_results(run, result or [])
    show(run_packing(run, results, model_card, target, event_handler(as_json, quiet)), render_packing, as_json, quiet)


@app.command()
def push(
    model: Annotated[str, typer.Argument(help="Folder of a packed model.")],
    repo: Annotated[str, typer.Argument(help="OWNER/NAME on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Create a private repository.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Push a packed model to the Hugging Face Hub."""
    from facedis.model.storage.hub import push_model
    from facedis.model.storage.registry import model_folder
    from facedis.result import record

    address = push_model(model_folder(model), repo, private)
    found = record("model_pushed", model=model, repo=repo, address=address)
    show(found, lambda _: [f"Pushed: {address}", f"Load it with --model hf:{repo}"], as_json, quiet)
