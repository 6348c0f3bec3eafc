"""Disentangled facial expression codes: training, prediction, similarity, swaps, and measured leakage.

The names below are loaded on first use, so that `import facedis` loads neither torch nor numpy.
"""

from typing import TYPE_CHECKING

from facedis.lazy import lazy_attributes

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facedis import metrics
    from facedis.config import AlignConfig, EvalConfig, ModelConfig, SwapEvalConfig, TrainConfig
    from facedis.errors import (
        CacheError,
        ConfigError,
        FacedisError,
        InputError,
        MissingExtra,
        MissingPackage,
        OutputError,
        RunError,
        WeightsError,
    )
    from facedis.events import Event
    from facedis.faces.alignment.align_dataset import AlignmentResult
    from facedis.faces.cache.cache import FacesCache
    from facedis.interface import align, evaluate, list_datasets, list_models, list_trunks, load_model, resume, train
    from facedis.model import losses
    from facedis.result import Estimate, Result
    from facedis.tasks.encoding.embedding import EmbeddingResult
    from facedis.tasks.encoding.image_codes import CodesResult
    from facedis.tasks.encoding.sklearn import ExpressionEncoder
    from facedis.tasks.evaluation.audit import AuditResult, audit
    from facedis.tasks.evaluation.evaluation import EvaluationResult
    from facedis.tasks.experiments.training import TrainingResult
    from facedis.tasks.prediction.prediction import PredictionResult
    from facedis.tasks.similarity.similarity import SimilarityResult
    from facedis.tasks.swapping.swap_result import SwapResult
    from facedis.trained_model import Model
else:
    __getattr__, __dir__ = lazy_attributes(
        __name__,
        {
            "AlignConfig": "facedis.config",
            "AlignmentResult": "facedis.faces.alignment.align_dataset",
            "AuditResult": "facedis.tasks.evaluation.audit",
            "CacheError": "facedis.errors",
            "CodesResult": "facedis.tasks.encoding.image_codes",
            "ConfigError": "facedis.errors",
            "EmbeddingResult": "facedis.tasks.encoding.embedding",
            "Estimate": "facedis.result",
            "EvalConfig": "facedis.config",
            "EvaluationResult": "facedis.tasks.evaluation.evaluation",
            "Event": "facedis.events",
            "ExpressionEncoder": "facedis.tasks.encoding.sklearn",
            "FacedisError": "facedis.errors",
            "FacesCache": "facedis.faces.cache.cache",
            "InputError": "facedis.errors",
            "MissingExtra": "facedis.errors",
            "MissingPackage": "facedis.errors",
            "Model": "facedis.trained_model",
            "ModelConfig": "facedis.config",
            "OutputError": "facedis.errors",
            "PredictionResult": "facedis.tasks.prediction.prediction",
            "Result": "facedis.result",
            "RunError": "facedis.errors",
            "SimilarityResult": "facedis.tasks.similarity.similarity",
            "SwapEvalConfig": "facedis.config",
            "SwapResult": "facedis.tasks.swapping.swap_result",
            "TrainConfig": "facedis.config",
            "TrainingResult": "facedis.tasks.experiments.training",
            "WeightsError": "facedis.errors",
            "align": "facedis.interface",
            "audit": "facedis.tasks.evaluation.audit",
            "evaluate": "facedis.interface",
            "list_datasets": "facedis.interface",
            "list_models": "facedis.interface",
            "list_trunks": "facedis.interface",
            "load_model": "facedis.interface",
            "losses": "facedis.model:losses",
            "metrics": "facedis:metrics",
            "resume": "facedis.interface",
            "train": "facedis.interface",
        },
    )

__all__ = [
    "AlignConfig",
    "AlignmentResult",
    "AuditResult",
    "CacheError",
    "CodesResult",
    "ConfigError",
    "EmbeddingResult",
    "Estimate",
    "EvalConfig",
    "EvaluationResult",
    "Event",
    "ExpressionEncoder",
    "FacedisError",
    "FacesCache",
    "InputError",
    "MissingExtra",
    "MissingPackage",
    "Model",
    "ModelConfig",
    "OutputError",
    "PredictionResult",
    "Result",
    "RunError",
    "SimilarityResult",
    "SwapEvalConfig",
    "SwapResult",
    "TrainConfig",
    "TrainingResult",
    "WeightsError",
    "__version__",
    "align",
    "audit",
    "evaluate",
    "list_datasets",
    "list_models",
    "list_trunks",
    "load_model",
    "losses",
    "metrics",
    "resume",
    "train",
]
