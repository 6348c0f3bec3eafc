"""Settings from layers of tables, and their round trip through TOML."""

import pytest

from facedis.config import (
    TABLES,
    AlignConfig,
    EvalConfig,
    ModelConfig,
    SwapEvalConfig,
    TrainConfig,
    all_settings,
    as_dict,
    as_tables,
    merge_tables,
    read_settings,
    resolve,
    resolve_tables,
    to_tables,
    to_toml,
)
from facedis.errors import ConfigError, InputError

KINDS = (AlignConfig, ModelConfig, TrainConfig, EvalConfig, SwapEvalConfig)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_a_settings_file_and_a_record(kind, tmp_path):
    config = kind()
    path = tmp_path / "settings.toml"
    path.write_text(to_toml(as_tables(config), preset="clean"))
    found = read_settings(path)
    assert found.preset == "clean" and resolve_tables(kind, found.tables) == config
    assert resolve(kind, as_dict(config)) == config


def test_every_setting_has_help_and_a_name_of_its_own():
    names = [each.flag for each in all_settings(ModelConfig, TrainConfig)]
    assert len(set(names)) == len(names) > 80
    for each in all_settings(*KINDS):
        assert each.setting.help.endswith(".") and len(each.setting.help) > 8, each


def test_later_layers_win_and_missing_values_do_not():
    layers = (
        {"train": {"epochs": 3}},
        {"train": {"epochs": 5}, "runtime": {"device": "cpu"}},
        {"train": {"epochs": None}},
    )
    config = resolve_tables(TrainConfig, *layers)
    assert config.epochs == 5 and config.runtime.device == "cpu"
    assert merge_tables(*layers[:2]) == {"train": {"epochs": 5}, "runtime": {"device": "cpu"}}


def test_settings_by_name_find_their_table():
    flat = {"beta1": 1, "decoder": "joint", "decoder.epochs": 3, "epochs": 4, "leace": True, "seed": None}
    assert to_tables((ModelConfig, TrainConfig), flat) == {
        "train": {"beta1": 1, "epochs": 4},
        "model": {"decoder": "joint"},
        "decoder": {"epochs": 3},
        "retention": {"leace": True},
    }


def test_numbers_and_lists_are_accepted_in_the_forms_people_type():
    config = resolve(ModelConfig, {"branch_widths": "8, 8,8", "factors": "identity,yaw", "dropout": 0})
    assert config.branch_widths == (8, 8, 8) and config.factors == ("identity", "yaw") and config.dropout == 0.0


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"train": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"train": {"leace": True}}, "it belongs to [retention]"),
        ({"retention": {"lece": True}}, "did you mean 'leace'"),
        ({"train": {"epochs": 0}}, "--epochs is 0; it must be at least 1"),
        ({"train": {"epochs": "3"}}, "it must be of type int"),
        ({"train": {"epochs": True}}, "it must be of type int"),
        ({"train": {"lr": float("nan")}}, "give a finite number"),
        ({"train": {"lr": 10**400}}, "too large"),
        ({"train": {"optimizer": "lion"}}, "choose one of: adam, adamw, sgd"),
        ({"train": {"teachers": [1]}}, "a list of type str"),
        ({"decoder": {"paired_prob": 2}}, "--decoder.paired-prob is 2.0; it must be between 0 and 1"),
        ({"retention": {"rest_rank": 4}}, "add --leace"),
        ({"train": {"mixup_alpha": 0.2}, "adversary": {"confusion": "hsic"}}, "--mixup-alpha"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(tables, words):
    with pytest.raises(ConfigError) as caught:
        resolve_tables(TrainConfig, tables)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("epochs = 3", ConfigError, "outside of any table"),
        ("[trian]\nepochs = 3", ConfigError, "unknown table [trian]"),
        ("preset = 3", ConfigError, "'preset' is not a text"),
        ("[train", InputError, "is not TOML"),
        ("x = " + "[" * 20_000, InputError, "is not TOML"),
        ("[train]\nepochs = " + "9" * 5_000, (InputError, ConfigError), ""),
        ("\0", InputError, "is not TOML"),
    ],
)
def test_a_broken_settings_file_is_one_line(text, error, words, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(error) as caught:
        resolve_tables(TrainConfig, read_settings(path).tables)
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_the_tables_are_those_of_the_documentation():
    assert sorted(TABLES) == sorted(
        ("align", "model", "train", "adversary", "retention", "decoder", "runtime", "eval", "swap-eval")
    )
