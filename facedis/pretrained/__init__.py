"""The models that come inside the package: a folder each, written by `facedis models pack`.

`facedis models pack RUN -o facedis/pretrained/bundled --name bundled` puts one in. Only the standard
library is needed to know which there are.
"""

from pathlib import Path

#: The one that answers where no model is named and nothing has been trained.
DEFAULT = "bundled"
#: What makes a folder a packed model; see `facedis.model.storage.packed`.
METADATA = "model.json"


def list_names(place: Path | None = None) -> tuple[str, ...]:
    """The models in `place`, by default those of the package, in the order of their names."""
    place = place or Path(__file__).parent
    return tuple(sorted(path.parent.name for path in place.glob(f"*/{METADATA}")))


def model_dir(name: str) -> Path | None:
    """The folder of the shipped model `name`; None where there is none of that name."""
    return Path(__file__).parent / name if name in list_names() else None
