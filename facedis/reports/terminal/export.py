"""Terminal report of an ONNX export."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.numbers import count, model_line


def render(result: Mapping[str, Any]) -> Iterator[str]:
    """Render a record of kind "export"."""
    metadata, differences = result["metadata"], result["differences"]
    side, codes = metadata["size"], ", ".join(name for name in differences if name != "probabilities")
    yield f"Written: {result['output']} ({result['bytes'] / 1e6:,.1f} MB)"
    yield f"Input: faces, (N, {side}, {side}, 3) uint8 RGB, crop {metadata['crop']}, margin {metadata['margin']}"
    yield f"Outputs: probabilities of {', '.join(result['classes'])}; codes: {codes}"
    largest = ", ".join(f"{name} {value:.1e}" for name, value in differences.items())
    faces = count(result["n"], "face")
    yield f"Largest difference from PyTorch on {faces}: {largest} (tolerance {result['tolerance']:g})"
    if result["temperature"] is None:
        yield "The probabilities are not calibrated: the run has no calibration.json."
    else:
        yield f"The probabilities are calibrated with temperature {round(result['temperature'], 3)}."
    yield model_line(result)
