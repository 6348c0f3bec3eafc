"""Train and resume runs: resolve the settings, train, calibrate, and write the record."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from facedis.config import (
    ModelConfig,
    SettingsFile,
    Tables,
    TrainConfig,
    merge_tables,
    resolve,
    resolve_tables,
    to_tables,
)
from facedis.datasets.record import is_utf8
from facedis.errors import ConfigError, InputError, OutputError, RunError
from facedis.events import EventHandler, ignore_events, note, track, warn
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.scenes import scene_ids
from facedis.locks import folder_lock
from facedis.metrics.statistics.intervals import Bootstrap, proportion_ci
from facedis.model.storage.checkpoint import CHECKPOINT, HISTORY, MODEL, Run, load_run, read_info
from facedis.presets import DatasetTraits, choose_preset, preset_overrides
from facedis.result import Estimate, Result
from facedis.tasks.encoding.encode import encode
from facedis.tasks.encoding.temperature import CALIBRATION, calibrate
from facedis.tasks.similarity.reference_distribution import REFERENCE_FILE, write_reference
from facedis.training.data import decoder_data, training_data
from facedis.training.run_folder import new_run_folder, read_history
from facedis.training.setup import NO_CODE_GRADIENT, Job, constrains_rest, resolve_decoder
from facedis.training.state import TrainState
from facedis.training.trainer import train as fit

RESULT = "result.json"
#: Faces per block when measuring the final accuracies.
_BLOCK = 4_096


@dataclass(frozen=True)
class TrainOptions:
    """What to train besides the defaults.

    Attributes:
        preset: Name of a preset; None for the one of the settings file, else by the dataset.
        name: Name of the run folder; None for date, trunk and beta1.
        folder: Folder of the run folders.
        file: The settings file.
        settings: Further settings, by name or by table; they win over those of the file.
        offline: Whether to refuse downloads of weights.
    """

    preset: str | None = None
    name: str | None = None
    folder: Path = Path("runs")
    file: SettingsFile = field(default_factory=SettingsFile)
    settings: Mapping[str, Any] = field(default_factory=dict)
    offline: bool = False

    @property
    def given(self) -> Tables:
        """Settings of the file and further ones, by table."""
        return merge_tables(self.file.tables, to_tables((ModelConfig, TrainConfig), self.settings))


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class TrainingResult(Result):
    """A finished training.

    Attributes:
        model: The run folder.
        faces: The faces cache.
        dataset: Name of the reader.
        split: "train".
        n: Training faces.
        classes: Expressions.
        seed: Seed of the training.
        epochs: Number of epochs.
        best: Best epoch on the val split, from 0.
        kept: Epoch of the saved model, from 0.
        rate: Images per second.
        seconds: Duration.
        history: Path of the history, with one JSON line per epoch.
        final: Accuracies of the expression head and of the adversary on the val split.
    """

    kind: ClassVar[str] = "training"

    model: str
    faces: str
    dataset: str
    split: str
    n: int
    classes: tuple[str, ...]
    seed: int
    epochs: int
    best: int
    kept: int
    rate: float
    seconds: float
    history: str
    final: Mapping[str, Estimate]

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per epoch, from the history."""
        lines = Path(self.history).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]

    def summary(self) -> Mapping[str, object]:
        """Number of epochs and final accuracies."""
        return {"epochs": self.epochs, **self.final}


def train(
    faces: Path | str, options: TrainOptions | None = None, handler: EventHandler = ignore_events
) -> TrainingResult:
    """Train a new run on a faces cache.

    Args:
        faces: The faces cache.
        options: Preset, name and settings; all have defaults.
        handler: Receives notes, first the preset and the reason for it, and progress.

    Returns:
        The result, whose record is also in result.json in the run folder.

    Raises:
        CacheError: The faces cannot be used.
        ConfigError: Contradicting settings.
        WeightsError: The weights of the trunk are not available.
        OutputError: The run folder cannot be written, contains a run, or is being written by another process.
    """
    faces, options = Path(faces), options or TrainOptions()
    with FacesCache.open(faces) as cache:
        training_data(cache)  # raises early if the faces cannot be trained on
        _, why = choose_preset(options.preset or options.file.preset, cache.info.dataset)
        preset, model, config = resolve_settings(options, cache)
        note(handler, f"preset {preset}: {why}")
    _check_writable(options.folder)
    if config.runtime.tensorboard:
        _check_tensorboard()
    with _run_folder(options, model, config) as run:
        note(handler, _summary(model, config, run))
        # Only for `clean` presets: for the paper's own objective, docs/method.md has the caveat.
        adversarial = not model.baseline and config.beta3 > 0
        if preset.startswith("clean") and adversarial and not constrains_rest(model, config):
            warn(handler, "no loss keeps the rest code from collapsing; add --lowres-retention-weight 1")
        return _fit(Job(faces, run, model, config, handler, offline=options.offline))


def _run_folder(options: TrainOptions, model: ModelConfig, config: TrainConfig) -> AbstractContextManager[Path]:
    """The new run folder, locked by the first of the processes that train it."""
    if options.name is None and _is_distributed(config):
        raise ConfigError("the processes of torchrun need the same run folder", "add --name")
    if not _is_first(config):
        return nullcontext(options.folder / str(options.name))
    return new_run_folder(options.folder, options.name or _name(model, config), numbered=options.name is None)


def _is_distributed(config: TrainConfig) -> bool:
    """Whether several processes were started from outside to train one run."""
    return config.runtime.num_nodes > 1 or (config.runtime.devices > 1 and "TORCHELASTIC_RUN_ID" in os.environ)


def _is_first(config: TrainConfig) -> bool:
    """Whether this process alone was started to train a run, or is the first of those."""
    return not _is_distributed(config) or all(int(os.environ.get(name, 0)) == 0 for name in ("RANK", "NODE_RANK"))


def resume(run: Path, handler: EventHandler = ignore_events) -> TrainingResult:
    """Resume an interrupted run; the result equals that of an uninterrupted run bit for bit.

    If all epochs are done and only the files written afterwards are missing, only these are written.

    Raises:
        RunError: The folder is not a run folder, or the run is complete.
        InputError: The faces are missing or have changed.
        OutputError: The run is being trained by another process.
    """
    info = read_info(run)
    faces = Path(info["faces"]["path"])
    with FacesCache.open(faces) as cache:
        if cache.info.fingerprint != info["faces"]["fingerprint"]:
            raise InputError(f"{faces} is not the cache that {run} was trained on", "align the same dataset again")
    try:
        model, config = resolve(ModelConfig, info["model"]), resolve(TrainConfig, info["train"])
    except (KeyError, TypeError) as error:
        raise RunError(f"the settings of {run} cannot be read", "train a new one") from error
    job = Job(faces, run, model, config, handler, resume=True)
    with folder_lock(run) if _is_first(config) else nullcontext():
        return _write_record(job, _final_state(job)) if is_unfinished(run) else _fit(job)


def is_unfinished(run: Path) -> bool:
    """Whether a run was stopped after its last epoch, before its reference, temperature and record were written.

    Raises:
        RunError: The folder is not a run folder.
    """
    epochs, history = read_info(run)["train"].get("epochs"), read_history(run)
    if not (run / MODEL).exists() or (run / CHECKPOINT).exists() or not history or len(history) != epochs:
        return False
    after = (RESULT, *((REFERENCE_FILE, CALIBRATION) if "val" in history[-1] else ()))
    return not all((run / name).exists() for name in after)


def has_identities(cache: FacesCache) -> bool:
    """Whether the train split has at least two identities."""
    names = cache.identities[cache.rows("train")]
    return len(set(names[names != ""].tolist())) > 1


def resolve_settings(options: TrainOptions, cache: FacesCache) -> tuple[str, ModelConfig, TrainConfig]:
    """The preset that is used, and the settings: defaults, preset, file and further ones, in rising order.

    Raises:
        CacheError, ConfigError: The faces of the decoder cannot be used.
        ConfigError: A reconstruction loss together with a decoder that passes no gradient to the codes.
    """
    preset, _ = choose_preset(options.preset or options.file.preset, cache.info.dataset)
    given = options.given
    faces = given.get("decoder", {}).get("faces")
    with decoder_data(training_data(cache), faces) as data:
        in_scenes = bool((scene_ids(data.cache)[data.train_rows] >= 0).all())
    return _resolve(preset, options, DatasetTraits(has_identities(cache), in_scenes))


def preview(faces: Path, options: TrainOptions) -> tuple[str, ModelConfig, TrainConfig]:
    """The preset and the settings of a training, without starting it; the cache may be missing if a preset is named.

    Raises:
        CacheError: There is no cache, and no preset is named.
        ConfigError: As `resolve_settings`.
    """
    if not faces.exists() and (options.preset or options.file.preset):
        return _resolve(choose_preset(options.preset or options.file.preset, "")[0], options, DatasetTraits())
    with FacesCache.open(faces) as cache:
        return resolve_settings(options, cache)


def _resolve(preset: str, options: TrainOptions, traits: DatasetTraits) -> tuple[str, ModelConfig, TrainConfig]:
    given = options.given
    preset, tables = preset_overrides(preset, given, traits)
    config = resolve_tables(TrainConfig, tables, given)
    model = resolve_tables(ModelConfig, tables, given)
    decoder = given.get("model", {}).get("decoder")
    if given.get("train", {}).get("beta1") and decoder in NO_CODE_GRADIENT and not model.baseline:
        raise ConfigError(
            f"--beta1 is {config.beta1:g}, but with --decoder {decoder} no reconstruction gradient reaches the codes",
            "leave out --decoder or --beta1",
        )
    if config.decoder.faces:  # absolute, so that a run that is resumed elsewhere finds them
        absolute = str(Path(config.decoder.faces).absolute())
        config = replace(config, decoder=replace(config.decoder, faces=absolute))
    return preset, resolve_decoder(model, config), config


def _fit(job: Job) -> TrainingResult:
    return _write_record(job, fit(job))


def _final_state(job: Job) -> TrainState:
    """The final state of a trained run, from its history; its checkpoint has been deleted."""
    history = read_history(job.run)
    scores = [line.get("val", {}).get("expression_accuracy", 0.0) for line in history]
    best = scores.index(max(scores))
    with FacesCache.open(job.faces) as cache:
        data = training_data(cache)
    kept = best if data.keeps_best(job.config.checkpoint_selection) else len(history) - 1
    return TrainState(epoch=len(history), best_epoch=best, kept_epoch=kept, seconds=history[-1]["seconds"])


def _write_record(job: Job, state: TrainState) -> TrainingResult:
    """Write the files that follow the last epoch; the record is last, so that it marks a complete run."""
    run = load_run(job.run)
    history = read_history(job.run)
    kept = history[state.kept_epoch]
    with FacesCache.open(job.faces) as cache:
        data = training_data(cache)
        val, dataset, n = data.val_rows, cache.info.dataset, len(data.train_rows)
        if len(val):
            write_reference(run, cache, val, job.config, job.handler)
            calibrate(run, cache, 2 * job.config.batch_size, job.config.runtime.device, job.handler, job.config.seed)
        final = _final_accuracies(run, cache, val, job) if len(val) else {}
    result = TrainingResult(
        command=run.info["command"],
        model=str(job.run),
        faces=str(job.faces),
        dataset=dataset,
        split="train",
        n=n,
        classes=run.classes,
        seed=job.config.seed,
        epochs=len(history),
        best=state.best_epoch,
        kept=kept["epoch"],
        rate=sum(line["images_per_second"] for line in history) / len(history),
        seconds=state.seconds,
        history=str(job.run / HISTORY),
        final=final,
    )
    result.save(job.run / RESULT)
    return result


def _final_accuracies(run: Run, cache: FacesCache, rows: np.ndarray, job: Job) -> dict[str, Estimate]:
    """Accuracies of the finished model and of its adversary on `rows`, with intervals over people if they are known."""
    correct: dict[str, list[np.ndarray]] = {}
    with track(job.handler, "validating", len(rows)) as progress:
        for start in range(0, len(rows), _BLOCK):
            table = encode(
                run, cache, rows[start : start + _BLOCK], 2 * job.config.batch_size, job.config.runtime.device
            )
            for name, outputs in (("expression", table.probabilities), ("adversary", table.adversary)):
                if outputs is not None:
                    correct.setdefault(f"{name}_accuracy", []).append(outputs.argmax(axis=1) == table.labels)
            progress.advance(len(table.rows))
    people, plan, chance = cache.identities[rows], Bootstrap(seed=job.config.seed), 1 / len(run.classes)
    return {name: proportion_ci(np.concatenate(hits), people, plan, chance) for name, hits in correct.items()}


def _name(model: ModelConfig, config: TrainConfig) -> str:
    kind = "baseline" if model.baseline else f"beta1-{config.beta1:g}"
    return f"{datetime.now():%Y%m%d-%H%M%S}-{model.trunk}-{kind}"


def _check_writable(folder: Path) -> None:
    if not is_utf8(str(folder.resolve())):  # a model could be written there but not read
        raise OutputError(f"the name of the folder {folder.resolve()} is not UTF-8", "choose another --runs folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create {folder}: {error.strerror}", "choose another --runs folder") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"cannot write into {folder}", "choose another --runs folder")


def _check_tensorboard() -> None:
    if find_spec("tensorboard") is None:
        raise ConfigError("--tensorboard needs a package", "pip install 'facedis[tensorboard]'")


def _summary(model: ModelConfig, config: TrainConfig, run: Path) -> str:
    betas = f"beta {config.beta1:g}, {config.beta2:g}, {config.beta3:g}"
    objective = "baseline, no adversary" if model.baseline else betas
    decoder = "" if model.decoder == "none" else f", {model.decoder} decoder"
    trunk = f"{model.trunk} ({model.weights} weights, {model.image_size} px)"
    return f"{trunk}, {objective}{decoder}, {config.epochs} epochs -> {run}"
