"""facedis: facial expression codes that carry expression and nothing else, and the truth about them.

The names below are loaded on first use, so that `import facedis` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0.dev0"

_PUBLIC = {
    "AlignConfig": "facedis.config",
    "ModelConfig": "facedis.config",
    "TrainConfig": "facedis.config",
    "EvalConfig": "facedis.config",
    "SwapEvalConfig": "facedis.config",
    "Event": "facedis.events",
    "FacesCache": "facedis.faces.cache",
    "align": "facedis.faces.align",
    "Wish": "facedis.studies.training",
    "train": "facedis.studies.training",
    "load_run": "facedis.model.checkpoint",
    "calibrate": "facedis.studies.calibration",
    "load_model": "facedis.studies.models",
    "evaluate": "facedis.studies.evaluation",
    "similarity": "facedis.studies.similarity",
    "embed": "facedis.studies.embedding",
    "ExpressionEncoder": "facedis.studies.encoder",
    "swap": "facedis.studies.swapping",
    "evaluate_swaps": "facedis.studies.swap_evaluation",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'facedis' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
