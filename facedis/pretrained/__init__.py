"""The models in the package, one folder each.

`facedis models pack RUN -o facedis/pretrained/bundled --name bundled` writes one. This module needs
only the standard library.
"""

from pathlib import Path

#: The model that is used where none is named.
DEFAULT = "bundled"
#: The file that marks a folder as a packed model; see `facedis.model.storage.packed`.
METADATA = "model.json"


def list_names() -> tuple[str, ...]:
    """Return the names of the models in the package, sorted."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob(f"*/{METADATA}")))


def model_dir(name: str) -> Path | None:
    """Return the folder of the packaged model `name`, None where the name is unknown."""
    return Path(__file__).parent / name if name in list_names() else None
