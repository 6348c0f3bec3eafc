"""Functions of the Python interface. What needs torch is imported when a function is called."""

from pathlib import Path
from typing import TYPE_CHECKING

from facedis import plugins, pretrained
from facedis.config import AlignConfig, Device, ModelConfig, TrainConfig, read_settings, resolve, to_tables
from facedis.config.eval_config import Split
from facedis.config.schema import SettingValue
from facedis.events import EventHandler, ignore_events

if TYPE_CHECKING:
    from facedis.faces.alignment.align_dataset import AlignmentResult
    from facedis.faces.cache.cache import FacesCache
    from facedis.tasks.evaluation.evaluation import EvaluationResult
    from facedis.tasks.experiments.training import TrainingResult
    from facedis.trained_model import Model


def load_model(name: str | Path = pretrained.DEFAULT, device: Device = "auto") -> "Model":
    """Load a trained model.

    Args:
        name: A bundled model of `list_models`, the folder of a run or of a packed model, a file in such a folder, or
            hf:OWNER/NAME with an optional @REVISION.
        device: "auto" (CUDA if available, else MPS, else the CPU), "cpu", "cuda" or "mps".

    Raises:
        RunError: There is no such model, or it is broken.
        ConfigError: The device is not available.
        MissingExtra: The model is on a hub and the extra `hub` is not installed.
        InputError: The hub does not have it or does not answer.
    """
    from facedis.model.storage import registry
    from facedis.trained_model import Model

    return Model(registry.load_model(name), device)


def align(
    source: Path | str | None,
    output: Path | str,
    *,
    overwrite: bool = False,
    handler: EventHandler = ignore_events,
    **settings: SettingValue,
) -> "AlignmentResult":
    """Detect, crop and store the faces of a dataset in a faces cache.

    An interrupted alignment is resumed by the same call.

    Args:
        source: Folder of a dataset; None for the bundled rendered faces.
        output: The HDF5 file to write.
        overwrite: Replace a file with other images or settings.
        handler: Receives progress, notes and warnings.
        settings: Settings of `facedis align`, such as `crop="similarity"`.

    Raises:
        ConfigError: A setting is unknown or out of range.
        InputError: `source` is not a dataset or has no usable image.
        OutputError: `output` has other contents or cannot be written.
        CacheError: An incomplete `output` cannot be resumed.
    """
    config = resolve(AlignConfig, settings)
    from facedis.faces.alignment import align_dataset

    return align_dataset.align(None if source is None else Path(source), Path(output), config, handler, overwrite)


def train(
    faces: Path | str,
    *,
    preset: str | None = None,
    name: str | None = None,
    runs: Path | str = "runs",
    config: Path | str | None = None,
    offline: bool = False,
    handler: EventHandler = ignore_events,
    **settings: SettingValue,
) -> "TrainingResult":
    """Train a new model on a faces cache.

    Args:
        faces: The faces cache.
        preset: "paper", "small" or "clean"; None for that of `config`, else by the dataset.
        name: Name of the run folder; None for date, trunk and beta1.
        runs: Folder of the run folders.
        config: Settings file (TOML).
        offline: Whether to refuse downloads of pretrained weights.
        handler: Receives progress, notes and warnings.
        settings: Settings of `facedis train`, such as `beta1=0.0`; those of a table as a mapping, as in
            `decoder={"epochs": 5}`. They override `config` and `preset`.

    Returns:
        The result; `load_model(result.model)` loads the model.

    Raises:
        ConfigError: A setting is unknown or out of range, or settings contradict each other.
        CacheError: The faces cannot be used.
        WeightsError: The weights of the trunk are not available.
        OutputError: The run folder cannot be written.
    """
    tables = to_tables((ModelConfig, TrainConfig), settings)
    file = read_settings(None if config is None else Path(config))
    from facedis.tasks.experiments import training

    return training.train(faces, training.TrainOptions(preset, name, Path(runs), file, tables, offline), handler)


def resume(run: Path | str, *, handler: EventHandler = ignore_events) -> "TrainingResult":
    """Resume an interrupted training; the result equals that of an uninterrupted one bit for bit.

    Args:
        run: The run folder.
        handler: Receives progress, notes and warnings.

    Raises:
        RunError: The folder is not a run folder, or the run is complete.
        InputError: The faces are missing or have changed.
    """
    from facedis.tasks.experiments import training

    return training.resume(Path(run), handler)


def evaluate(
    model: "Model | str | Path",
    faces: "FacesCache | Path | str",
    *,
    split: Split = "val",
    handler: EventHandler = ignore_events,
    **settings: SettingValue,
) -> "EvaluationResult":
    """Evaluate accuracy, leakage, retention and collapse of a model on one split of a faces cache.

    Args:
        model: A loaded model, or a name as in `load_model`.
        faces: A faces cache with expressions, opened or as a path.
        split: "train", "val", "test" or "all".
        handler: Receives progress.
        settings: Further settings of `facedis eval`, such as `probes="linear"`.

    Raises:
        RunError: There is no such model.
        ConfigError: A setting is unknown or out of range.
        CacheError: The cache and the model have no expression in common, or the split has no such face.
    """
    loaded = load_model(model) if isinstance(model, (str, Path)) else model
    return loaded.evaluate(faces, split=split, handler=handler, **settings)


def list_models() -> list[str]:
    """Names of the bundled models, sorted."""
    return list(pretrained.list_names())


def list_trunks() -> list[str]:
    """Names of the trunk architectures, those of plugins included, sorted."""
    return list(plugins.discover(plugins.TRUNKS))


def list_datasets() -> list[str]:
    """Names of the dataset readers, those of plugins included, sorted."""
    return list(plugins.discover(plugins.DATASETS))
