"""Terminal reports of models: list, details, verification and packing."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.numbers import PERCENT, count


def render_list(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "models"."""
    if result["models"]:
        table = Table("name", "trunk", "expressions", "MB", "decoder", "accuracy")
        for model in result["models"]:
            size, decoder = f"{model['bytes'] / 1e6:.1f}", "yes" if model["decoder"] else "no"
            row = (model["name"], model["trunk"], str(len(model["classes"])), size, decoder, _accuracies(model))
            table.add_row(*row)
        yield table
    else:
        yield "No model is bundled."
    default = result["default"] or "none; train one with `facedis train`"
    yield Text(f"Default model (without --model): {default}")


def render_model(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "model"."""
    kind = "packed model" if result["packed"] else "run"
    yield Text(f"{result['model']}: {kind}, {count(result['parameters'], 'parameter')}", "bold")
    table = Table(show_header=False)
    for name in ("trunk", "seed", "created", "machine", "command"):
        table.add_row(name, str(result[name]))
    table.add_row("expressions", ", ".join(result["classes"]))
    table.add_row("codes", ", ".join(f"{name} ({size})" for name, size in result["codes"].items()))
    table.add_row("parameters", ", ".join(f"{name} {size:,}" for name, size in result["parts"].items() if size))
    faces = result["faces"]
    colour = "greyscale" if faces["grey"] else "colour"
    table.add_row("training faces", f"{faces.get('dataset')}, crop {faces['crop']}, {colour}")
    table.add_row("accuracy", _accuracies(result))
    for stage, settings in result["settings"].items():
        table.add_row(f"{stage} settings", ", ".join(f"{key} {value}" for key, value in settings.items()))
    yield table
    files = Table("file", "bytes")
    files.columns[1].justify = "right"
    for name, size in result["files"].items():
        files.add_row(name, f"{size:,}")
    yield files


def render_verification(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "model_verification"."""
    table = Table("file", "bytes", "SHA-256")
    table.columns[1].justify = "right"
    for file in result["files"]:
        table.add_row(file["file"], f"{file['bytes']:,}", file["trouble"] or "ok")
    yield table
    if result["seen"] is not None:
        seen = result["seen"]
        yield (
            f"Prediction for the test face: {seen['expression']} ({100 * seen['probability']:.0f} %). "
            f"Largest difference from the outputs stored at packing: {result['furthest']:.1g}"
        )
    yield Text(f"{result['model']}: {'intact' if result['whole'] else 'damaged'}", "bold")


def render_packing(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "model_packed"."""
    sizes = f"{result['bytes'] / 1e6:.1f} MB, tensors of the run {result['before'] / 1e6:.1f} MB"
    yield Text(f"Written: {result['output']} ({sizes}, {count(result['results'], 'evaluation result')} in the card)")
    yield Text(f"To use it: --model {result['output']}")


def _accuracies(model: Mapping[str, Any]) -> str:
    """One line per evaluation."""
    found = model["accuracy"]
    return "\n".join(f"{each['dataset']} {each['split']}: {PERCENT.full(each['accuracy'])}" for each in found) or (
        "not measured"
    )
