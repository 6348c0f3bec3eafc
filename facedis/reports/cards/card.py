"""The model card in Markdown, generated from the records of a model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facedis.reports.cards.card_evaluation import evaluation_section
from facedis.reports.numbers import PERCENT, count
from facedis.reports.tables.table_formats import markdown_row

_UNKNOWN = "not known"
#: Attributes that no dataset labels, unless they are known factors.
_ATTRIBUTES = ("age", "sex", "skin colour", "origin", "disability")

_LIMITATIONS = (
    "The model predicts the displayed expression as labelled in its training data. An expression is no evidence of "
    "an emotion.",
    "The model has a fixed list of expressions and predicts one of them for every input, also for images without a "
    "face.",
    "The predicted probabilities assume the class frequencies of the training data; other frequencies need "
    "recalibration.",
    "Intervals express the sampling error of the test faces. They do not cover other cameras, places, cultures or "
    "ages.",
    "Probes give a lower bound of the information in a code; a stronger probe may find more.",
)
_OUT_OF_SCOPE = (
    "Decisions about people, for example in employment, education, credit, insurance, health care, policing, border "
    "control or courts.",
    "Inference of emotions, honesty, intentions, character or illness.",
    "Monitoring of people at work, in class or in public, or of anybody without their consent.",
    "Identification of people. The rest code contains identity information; it is meant for measuring that.",
    "Generation of images that are presented as photographs. Generated images are labelled as synthetic; the label "
    "must not be removed.",
)


def card(description: Mapping[str, Any]) -> str:
    """The card of a model.

    Args:
        description: Result of `facedis.tasks.packaging.model_metadata.describe_model`: `name`, `info`, `results`,
            `parameters`, `codes`.
    """
    info, results = description["info"], description["results"]
    sections = [
        [f"# {description['name']}", "", _summary(description), ""],
        ["## Model description", "", *_architecture(description), ""],
        ["## Evaluation", "", *_evaluation(results)],
        ["## Subgroups", "", *_subgroups(results), ""],
        ["## Training data", "", *_training_data(info), ""],
        ["## Training procedure", "", *_training_procedure(info), ""],
        ["## Limitations", "", *_list(_LIMITATIONS), ""],
        ["## Out-of-scope use", "", *_list(_OUT_OF_SCOPE), ""],
        ["## Usage", "", *_usage(description["name"]), ""],
    ]
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _summary(description: Mapping[str, Any]) -> str:
    evaluations = [result for result in description["results"] if result["kind"] == "evaluation"]
    accuracies = "; ".join(
        f"{result['dataset']} {result['split']} {PERCENT.full(result['task']['accuracy'])}" for result in evaluations
    )
    return (
        f"Encodes a face as an expression code and {_other_codes(description)}, and classifies it as one of "
        f"{count(len(description['info']['classes']), 'expression')}. Accuracy: {accuracies or 'not measured'}."
    )


def _other_codes(description: Mapping[str, Any]) -> str:
    others = [name for name in description["codes"] if name != "expression"]
    return f"a code of everything else ({', '.join(others)})" if others else "no other code (baseline model)"


def _architecture(description: Mapping[str, Any]) -> Iterator[str]:
    info = description["info"]
    model, faces = info["model"], info["faces"]
    colour = "converted to greyscale" if faces["grey"] else "colour"
    crop = f"crop {faces['crop']}, margin {_or_unknown(faces.get('margin'))}"
    yield from _properties(
        {
            "trunk": model["trunk"],
            "parameters": f"{description['parameters']:,}",
            "codes": ", ".join(f"{name} ({size} dimensions)" for name, size in description["codes"].items()),
            "expressions": ", ".join(info["classes"]),
            "decoder": model["decoder"],
            "input": f"face of {model['image_size']} x {model['image_size']} pixels, {colour}",
            "face alignment": f"{crop}, detector {_or_unknown(faces.get('detector'))}",
            "file": "half precision; inference in single precision" if "packed" in info else "single precision",
            "licence": "MIT, as facedis; the training data has its own terms",
        }
    )


def _evaluation(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not results:
        yield "Not known: the model was packed without a result of `facedis eval`."
        yield ""
    for result in results:
        yield from evaluation_section(result)


def _subgroups(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    labelled = {name for result in results for name in result.get("factors", {})}
    people = any(result.get("people") for result in results)
    unlabelled = [name for name in _ATTRIBUTES if name not in labelled]
    yield "- By expression: see the recall per expression of each test set above."
    yield f"- By person: {'see the accuracy per person above' if people else _UNKNOWN}."
    names = ", ".join(unlabelled)
    yield f"- By {names}: {_UNKNOWN}; no test set has these labels. Accuracy may be lower for some groups."


def _training_data(info: Mapping[str, Any]) -> Iterator[str]:
    for number, stage in enumerate(_stages(info)):
        if number:
            yield ""
        faces, training = stage["faces"], stage.get("training") or {}
        rendered = "none: the faces are rendered"
        yield from _properties(
            {
                "dataset": _or_unknown(faces.get("dataset")),
                "training faces": f"{training['n']:,}" if training.get("n") else _UNKNOWN,
                "fingerprint of the faces cache": faces["fingerprint"][:16],
                "further supervised factors": ", ".join(stage["factors"]) or "none",
                "people shown, and their consent": rendered if faces.get("dataset") == "rendered" else _UNKNOWN,
            },
            _stage_name(info, stage),
        )


def _training_procedure(info: Mapping[str, Any]) -> Iterator[str]:
    stages = _stages(info)
    if len(stages) > 1:
        yield f"Trained in {len(stages)} stages; each starts from the trunk of the previous one."
        yield ""
    for number, stage in enumerate(stages):
        if number:
            yield ""
        yield from _stage(info, stage)


def _stage(info: Mapping[str, Any], stage: Mapping[str, Any]) -> Iterator[str]:
    training = stage.get("training") or {}
    versions = ", ".join(f"{name} {number}" for name, number in stage.get("versions", {}).items())
    minutes = f"{training['seconds'] / 60:,.0f} min" if training.get("seconds") else _UNKNOWN
    rate = f" ({training['rate']:.0f} images/s)" if training.get("rate") else ""
    version = stage.get("names_of")  # its names replace those of the version that trained
    names = f"options and settings as named in facedis {version}, not as in the commit above"
    yield from _properties(
        {
            "command": f"`{stage.get('command') or _UNKNOWN}`",
            "seed": str(stage["train"]["seed"]),
            "epochs": f"{training['epochs']}, checkpoint of epoch {training['kept'] + 1}" if training else _UNKNOWN,
            "training time": minutes + rate,
            "machine": _or_unknown(stage.get("machine")),
            "versions": versions or _UNKNOWN,
            "facedis": f"{_or_unknown(stage.get('facedis'))}, commit {_or_unknown(stage.get('commit'))}",
            **({"names": names} if version else {}),
            "date": _or_unknown(stage.get("created")),
            "initial weights": _initial_weights(stage),
        },
        _stage_name(info, stage),
    )
    yield ""
    yield "Settings:"
    yield ""
    yield "```"
    yield from _settings({"model": stage["model"], "train": stage["train"]})
    yield "```"


def _settings(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """One line per setting; names of nested tables are joined by dots."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name} = {value}"


def _initial_weights(stage: Mapping[str, Any]) -> str:
    weights = stage["model"]["weights"]
    if stage.get("began_with"):
        return f"trunk of the run {weights}"
    return "random" if weights == "none" else str(weights)


def _stages(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The stages of training in order: the run that provided the trunk first, the model's own last."""
    earlier = info.get("began_with")
    return [*(_stages(earlier) if earlier else []), info]


def _stage_name(info: Mapping[str, Any], stage: Mapping[str, Any]) -> str:
    stages = _stages(info)
    return f"stage {1 + [id(each) for each in stages].index(id(stage))}" if len(stages) > 1 else ""


def _usage(name: str) -> Iterator[str]:
    yield from ("```bash", f"facedis similarity --model {name} a.jpg b.jpg", f"facedis models verify {name}", "```")
    yield ""
    yield f"`{name}` is the name of the model if it is bundled with facedis; else use its folder or hf:OWNER/NAME."


def _properties(values: Mapping[str, str], title: str = "") -> Iterator[str]:
    """A table of two columns."""
    rows = ([title, ""], [":--", ":--"], *([key, value] for key, value in values.items()))
    yield from map(markdown_row, rows)


def _list(texts: Sequence[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _or_unknown(value: object) -> str:
    return _UNKNOWN if value in (None, "") else str(value)
