"""Settings of every stage: one frozen dataclass per table, every setting declared once."""

from facedis.config.adversary_config import AdversaryConfig
from facedis.config.align_config import FACE_SIZE, AlignConfig, Crop
from facedis.config.decoder_config import DecoderConfig
from facedis.config.eval_config import EvalConfig
from facedis.config.model_config import ModelConfig
from facedis.config.resolve import (
    TABLES,
    Tables,
    all_settings,
    as_dict,
    as_tables,
    merge_tables,
    resolve,
    resolve_tables,
    to_tables,
)
from facedis.config.retention_config import RetentionConfig
from facedis.config.runtime_config import RuntimeConfig
from facedis.config.schema import Config, Device
from facedis.config.settings_file import SettingsFile, read_settings, read_toml, to_toml
from facedis.config.swap_eval_config import SwapEvalConfig
from facedis.config.train_config import TrainConfig

__all__ = [
    "FACE_SIZE",
    "TABLES",
    "AdversaryConfig",
    "AlignConfig",
    "Config",
    "Crop",
    "DecoderConfig",
    "Device",
    "EvalConfig",
    "ModelConfig",
    "RetentionConfig",
    "RuntimeConfig",
    "SettingsFile",
    "SwapEvalConfig",
    "Tables",
    "TrainConfig",
    "all_settings",
    "as_dict",
    "as_tables",
    "merge_tables",
    "read_settings",
    "read_toml",
    "resolve",
    "resolve_tables",
    "to_tables",
    "to_toml",
]
