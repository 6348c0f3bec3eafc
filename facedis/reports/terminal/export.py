"""An export in a few lines."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def render(result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a record of kind "export"."""
    about = {name: result["metadata"][name] for name in ("size", "crop", "margin", "grey")}
    side, codes = about["size"], ", ".join(name for name in result["differences"] if name != "probabilities")
    yield f"Written: {result['output']} ({result['bytes'] / 1e6:,.1f} MB)"
    yield f"In: faces, (N, {side}, {side}, 3) uint8 RGB, cut out by --crop {about['crop']} (margin {about['margin']})"
    yield f"Out: probabilities of {', '.join(result['classes'])}; codes: {codes}"
    greatest = ", ".join(f"{name} {value:.1e}" for name, value in result["differences"].items())
    yield f"Against torch on {result['n']} faces, greatest difference: {greatest} (allowed {result['tolerance']:g})"
    if result["temperature"] is None:
        yield "The probabilities are not calibrated: the run has no calibration.json."
    else:
        yield f"The probabilities are calibrated, temperature {json.dumps(round(result['temperature'], 3))}."
