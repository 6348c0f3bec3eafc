"""The model card, in Markdown: written from what is recorded, never by hand. What is not known is said so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facedis.reports.cards.card_measures import measurements
from facedis.reports.numbers import PERCENT
from facedis.reports.tables.table_formats import markdown_row

_UNKNOWN = "not known"
#: What people differ in and no dataset here says of its faces, unless it is a known factor.
_GROUPS = ("age", "sex", "skin colour", "origin", "disability")

_LIMITS = (
    "It names displayed expressions by the labels of its training data. What somebody feels is another question: "
    "people smile without joy and grieve without a sign.",
    "It was taught a fixed list of expressions and answers with one of them for any face, and for what is no face.",
    "Probabilities are those of the training data's mixture of expressions; another mixture needs others.",
    "An interval speaks of chance in the choice of the test faces. It does not speak of other cameras, places, "
    "cultures and ages than theirs.",
    "Fresh probes bound what a code tells from below: a stronger reader may read more.",
)
_OUT_OF_SCOPE = (
    "Decisions about people: work, school, credit, insurance, health, police, border, court.",
    "Claims about feelings, honesty, intent, character, or illness.",
    "Watching people at work, in class, or in public, or anybody who has not agreed.",
    "Naming people: the rest code tells who somebody is, and is meant for measuring that it does.",
    "Pictures that pass for photographs: what it draws is marked as synthetic, and the mark must stay.",
)


def card(facts: Mapping[str, Any]) -> str:
    """The card of a model.

    Args:
        facts: Of `describe_model` (model_metadata): `name`, `info`, `results`, `parameters`, `codes`.
    """
    info, results = facts["info"], facts["results"]
    parts = [
        [f"# {facts['name']}", "", _summary(facts), ""],
        ["## What it is", "", *_network(facts), ""],
        ["## How good it is", "", *_evaluation(results)],
        ["## Groups", "", *_groups(results), ""],
        ["## Data", "", *_data(info), ""],
        ["## Recipe", "", *_recipe(info), ""],
        ["## Limits", "", *_list(_LIMITS), ""],
        ["## What it must not be used for", "", *_list(_OUT_OF_SCOPE), ""],
        ["## Use", "", *_use(facts["name"]), ""],
    ]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _summary(facts: Mapping[str, Any]) -> str:
    info, results = facts["info"], facts["results"]
    tested = [found for found in results if found["kind"] == "evaluation"]
    told = "; ".join(
        f"{found['dataset']} {found['split']} {PERCENT.full(found['task']['accuracy'])}" for found in tested
    )
    good = f"Accuracy: {told}." if tested else "How good it is was not measured."
    return (
        f"Turns a face into an expression code and {_others(facts)}, and names one of {len(info['classes'])} "
        f"expressions. {good}"
    )


def _others(facts: Mapping[str, Any]) -> str:
    others = [name for name in facts["codes"] if name != "expression"]
    return f"a code of everything else ({', '.join(others)})" if others else "no other code: it is a baseline"


def _network(facts: Mapping[str, Any]) -> Iterator[str]:
    info = facts["info"]
    model, faces = info["model"], info["faces"]
    colour = "grey: colour is taken out first" if faces["grey"] else "colour"
    yield from _pairs(
        {
            "trunk": model["trunk"],
            "parameters": f"{facts['parameters']:,}",
            "codes": ", ".join(f"{name} ({size} numbers)" for name, size in facts["codes"].items()),
            "expressions": ", ".join(info["classes"]),
            "decoder": model["decoder"],
            "input": f"a face of {model['size']} x {model['size']} pixels, {colour}",
            "faces are cut out by": f"crop {faces['crop']}, margin {_or_unknown(faces.get('margin'))}, "
            f"detector {_or_unknown(faces.get('detector'))}",
            "file": "half precision, computed in single precision" if "packed" in info else "single precision",
            "licence": "MIT, as facedis; the training data has terms of its own",
        }
    )


def _evaluation(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not results:
        yield "Not known: no result of `facedis eval` was packed with it."
        yield ""
    for found in results:
        yield from measurements(found)


def _groups(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = {name for found in results for name in found.get("factors", {})}
    yield "- By expression: see the recall of each expression under every test set above."
    people = any(found.get("people") for found in results)
    yield f"- By person: {'see the spread above' if people else _UNKNOWN}."
    unlabelled = [name for name in _GROUPS if name not in known]
    yield f"- By {', '.join(unlabelled)}: {_UNKNOWN}, for no test set has such labels. It may serve some groups worse."


def _data(info: Mapping[str, Any]) -> Iterator[str]:
    for number, stage in enumerate(_stages(info)):
        if number:
            yield ""
        faces, training = stage["faces"], stage.get("training") or {}
        n = f"{training['n']:,}" if training.get("n") else _UNKNOWN
        yield from _pairs(
            {
                "dataset": _or_unknown(faces.get("dataset")),
                "faces it was trained on": n,
                "fingerprint of the faces cache": faces["fingerprint"][:16],
                "further factors taught": ", ".join(stage["factors"]) or "none",
                "who is shown, and whether they agreed": _UNKNOWN
                if faces.get("dataset") != "rendered"
                else "nobody: the faces are rendered",
            },
            _stage_name(info, stage),
        )


def _recipe(info: Mapping[str, Any]) -> Iterator[str]:
    stages = _stages(info)
    if len(stages) > 1:
        yield f"Trained in {len(stages)} stages; each begins with the trunk of the one before it."
        yield ""
    for number, stage in enumerate(stages):
        if number:
            yield ""
        training = stage.get("training") or {}
        versions = ", ".join(f"{name} {number}" for name, number in stage.get("versions", {}).items())
        minutes = f"{training['seconds'] / 60:,.0f} min" if training.get("seconds") else _UNKNOWN
        rate = f" ({training['rate']:.0f} images a second)" if training.get("rate") else ""
        epochs = f"{training['epochs']}, kept the one after {training['kept'] + 1}" if training else _UNKNOWN
        yield from _pairs(
            {
                "command": f"`{stage.get('command') or _UNKNOWN}`",
                "seed": str(stage["train"]["seed"]),
                "epochs": epochs,
                "training time": minutes + rate,
                "machine": _or_unknown(stage.get("machine")),
                "versions": versions or _UNKNOWN,
                "facedis": f"{_or_unknown(stage.get('facedis'))}, commit {_or_unknown(stage.get('commit'))}",
                "trained on": _or_unknown(stage.get("created")),
                "began with": _initial_weights(stage),
            },
            _stage_name(info, stage),
        )
        yield ""
        yield "Every setting:"
        yield ""
        yield "```"
        yield from (f"{table}.{key} = {value}" for table in ("model", "train") for key, value in stage[table].items())
        yield "```"


def _initial_weights(stage: Mapping[str, Any]) -> str:
    if stage.get("began_with"):
        return f"the trunk of the run {stage['model']['weights']}"
    return "random weights" if stage["model"]["weights"] == "none" else f"the weights {stage['model']['weights']}"


def _stages(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The run that gave the trunk first, the model's own last."""
    earlier = info.get("began_with")
    return [*(_stages(earlier) if earlier else []), info]


def _stage_name(info: Mapping[str, Any], stage: Mapping[str, Any]) -> str:
    stages = _stages(info)
    return f"stage {1 + [id(each) for each in stages].index(id(stage))}" if len(stages) > 1 else ""


def _use(name: str) -> Iterator[str]:
    yield from ("```bash", f"facedis similarity --model {name} a.jpg b.jpg", f"facedis models verify {name}", "```")
    yield ""
    yield f"`{name}` is its name where it comes with facedis, else the path of its folder, or hf:OWNER/NAME."


def _pairs(known: Mapping[str, str], title: str = "") -> Iterator[str]:
    yield markdown_row([title, ""])
    yield markdown_row([":--", ":--"])
    yield from (markdown_row([key, value]) for key, value in known.items())


def _list(sentences: Sequence[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _or_unknown(value: object) -> str:
    return _UNKNOWN if value in (None, "") else str(value)
