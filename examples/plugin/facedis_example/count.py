"""The command `facedis count`.

A command is a function with Typer annotations. Slow imports belong inside the function, so that
`facedis --help` stays fast.
"""

from pathlib import Path
from typing import Annotated

import typer


def count(faces: Annotated[Path, typer.Argument(help="Faces cache made by `facedis align`.")]) -> None:
    """Count the faces of a cache by split and expression."""
    from facedis import FacesCache

    with FacesCache.open(faces) as cache:
        for split in ("train", "val", "test"):
            labels = cache.labels[cache.rows(split)]
            for number, name in enumerate(cache.info.classes):
                if (labels == number).any():
                    typer.echo(f"{split:5} {name:10} {(labels == number).sum():6}")
