"""Models as readable pages: which there are, what one is made of, whether it is whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.numbers import PERCENT


def render_list(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "models"."""
    if result["models"]:
        table = Table("name", "trunk", "expressions", "MB", "draws", "accuracy")
        for model in result["models"]:
            size, draws = f"{model['bytes'] / 1e6:.1f}", "yes" if model["decoder"] else "no"
            accuracy = "\n".join(_accuracy(found) for found in model["accuracy"]) or "not measured"
            table.add_row(model["name"], model["trunk"], str(len(model["classes"])), size, draws, accuracy)
        yield table
    else:
        yield "No model is bundled."
    answers = "nothing: train one with `facedis train`" if result["default"] is None else result["default"]
    yield Text(f"Where no --model is named, this one answers: {answers}")


def render_model(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "model"."""
    kind = "packed model" if result["packed"] else "run"
    yield Text(f"{result['model']}: {kind}, {result['parameters']:,} parameters", "bold")
    table = Table(show_header=False)
    for name in ("trunk", "seed", "created", "machine", "command"):
        table.add_row(name, str(result[name]))
    table.add_row("expressions", ", ".join(result["classes"]))
    table.add_row("codes", ", ".join(f"{name} ({size})" for name, size in result["codes"].items()))
    table.add_row("parts", ", ".join(f"{name} {size:,}" for name, size in result["parts"].items() if size))
    faces = result["faces"]
    table.add_row("faces", f"{faces.get('dataset')}, crop {faces['crop']}, {'grey' if faces['grey'] else 'colour'}")
    table.add_row("accuracy", "\n".join(map(_accuracy, result["accuracy"])) or "not measured")
    for stage, settings in result["settings"].items():
        table.add_row(f"{stage} settings", ", ".join(f"{key} {value}" for key, value in settings.items()))
    yield table
    files = Table("file", "bytes")
    files.columns[1].justify = "right"
    for name, size in result["files"].items():
        files.add_row(name, f"{size:,}")
    yield files


def render_verification(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "model_verification"."""
    table = Table("file", "bytes", "SHA-256")
    table.columns[1].justify = "right"
    for found in result["files"]:
        table.add_row(found["file"], f"{found['bytes']:,}", found["trouble"] or "right")
    yield table
    if result["seen"] is not None:
        seen = result["seen"]
        yield (
            f"On its own face it sees {seen['expression']} ({100 * seen['probability']:.0f} %); its codes differ by at "
            f"most {result['furthest']:.1g} from those when it was packed."
        )
    yield Text(f"{result['model']}: {'whole' if result['whole'] else 'damaged'}", "bold")


def render_packing(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "model_packed"."""
    sizes = f"{result['bytes'] / 1e6:.1f} MB, the run's tensors {result['before'] / 1e6:.1f} MB"
    yield Text(f"Written: {result['output']} ({sizes}; {result['results']} results in its card)")
    yield Text(f"Use it: --model {result['output']}")


def _accuracy(found: Mapping[str, Any]) -> str:
    return f"{found['dataset']} {found['split']}: {PERCENT.full(found['accuracy'])}"
