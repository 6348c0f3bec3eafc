"""An embedding in a few lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.numbers import model_line


def render(result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a record of kind "embedding"."""
    columns = ", ".join(f"{name} ({size})" for name, size in result["codes"].items())
    size = f"{result['n']:,} faces, {result['bytes'] / 1e6:,.1f} MB, {result['rate']:,.1f} images a second"
    yield f"Written: {result['output']} ({size})"
    yield f"Codes: {columns}."
    yield model_line(result)
    if result["several"]:
        yield f"Of {result['several']:,} images with several faces the largest was taken."
    for problem in result["problems"]:
        yield f"  no code: {problem['image']}: {problem['why']}"
    if result["left_out"] > len(result["problems"]):
        yield f"  and {result['left_out'] - len(result['problems']):,} more images without a face"
