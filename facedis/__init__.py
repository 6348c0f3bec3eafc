"""facedis: facial expression codes that carry expression and nothing else, and the truth about them.

The names below are loaded on first use, so that `import facedis` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AlignConfig": "facedis.config",
    "ModelConfig": "facedis.config",
    "TrainConfig": "facedis.config",
    "EvalConfig": "facedis.config",
    "SwapEvalConfig": "facedis.config",
    "Event": "facedis.events",
    "FacesCache": "facedis.faces.cache.cache",
    "align": "facedis.faces.alignment.align_dataset",
    "TrainOptions": "facedis.tasks.experiments.training",
    "train": "facedis.tasks.experiments.training",
    "load_run": "facedis.model.storage.checkpoint",
    "calibrate": "facedis.tasks.encoding.temperature",
    "load_model": "facedis.model.storage.registry",
    "evaluate": "facedis.tasks.evaluation.evaluation",
    "similarity": "facedis.tasks.similarity.similarity",
    "InferenceOptions": "facedis.tasks.inference",
    "embed": "facedis.tasks.encoding.embedding",
    "encode_images": "facedis.tasks.encoding.image_codes",
    "PredictOptions": "facedis.tasks.prediction.prediction",
    "predict": "facedis.tasks.prediction.prediction",
    "ExpressionEncoder": "facedis.tasks.encoding.sklearn",
    "swap": "facedis.tasks.swapping.swapping",
    "evaluate_swaps": "facedis.tasks.swapping.swap_evaluation",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'facedis' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
