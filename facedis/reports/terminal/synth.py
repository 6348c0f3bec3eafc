"""Terminal report of a synthesis."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.numbers import count


def render(result: Mapping[str, Any]) -> Iterator[str]:
    """Render a record of kind "synthesis"."""
    people = count(result["people"], "person", "people")
    yield f"Rendered: {result['output']} ({count(result['n'], 'image')} of {people}, {result['size']} px)"
    if result["rate"] is None:
        yield "No image was missing, so none was rendered."
    else:
        processes = count(result["processes"], "process", "processes")
        yield (
            f"{count(result['made'], 'new image')} by {processes}: {result['rate']:.2f} images/s, "
            f"{result['seconds'] / result['made']:.2f} s per image"
        )
