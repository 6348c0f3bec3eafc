"""Terms that are not used, because readers of the field do not know them.

docs/architecture.md lists the terms in use. The keys of result records are an interface and are not checked.
"""

import re
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from facedis import cli

ROOT = Path(__file__).parents[2]

#: Former identifiers.
IDENTIFIERS = (
    "Wish|Loop|Lesson|Player|Critic|Wanted|roles|heat|readings|told|Told|settle|advise|keeper|honest|"
    "Opponents|opponents|Keeper|keepers|pupil|go_on|stand_in|stand_ins|heed|heeds|heeded|few_pixels|told_apart|"
    "four_kinds|choose_parts|fresh_probes|shown_again|sketches|kernel_distance|kinship|put_on|Parcel|STRANGERS|"
    "UNHEARD|as_shown|variance_floor|taught|taught_loss|nearby_worst|likeness|feature_distance|learners|owners|"
    "ExpressionJudge|FaceJudge|TrunkJudge|Drawer|Listener|descend|unsaid"
)

#: Former settings and their options.
SETTINGS = (
    "draw-epochs|draw-batch|draw-faces|draw-augment|draw-warm-up|draw-pixels|draw-structure|draw-features|draw-swap|"
    "draw-codes|draw-back|draw-stand-in|draw-truth|draw-change|draw-still|draw-clean|draw-real|"
    "rest-map|rest-map-side|rest-map-sight|rest-gradient|rest-size|expression-size|own-weight|clean-weight|"
    "adversary-restart|keep-embedding|keep-picture|keep-variance|keep-apart|keep-directions|code-noise|branch-norm|"
    "trunk-norm|train-trunk|teacher-share|val-share|test-share|probe-rows|one-setting|faces-used|face-judge"
)

#: Former options whose names are ordinary words or parts of other names.
OPTIONS = (
    "--batch|--size|--slope|--warm-up|--ramp|--erase|--average|--sharpness|--mixup|--teacher|--balance|--augment|--schedule|"
    "--select|--reconstruction|--nodes|--judge|--shown|--several|--min-face|--bootstrap|--flip|--false-accepts|--top|"
    "--every|--onto|--draw|--like|--out|rest-stages"  # `rest_stages` is the name of tensors in model files
)

#: Phrases, as regular expressions; case and line breaks are ignored.
PHRASES = [
    r"by heart",
    r"once more",
    r"who is who",
    r"who goes where",
    r"learns? along",
    r"comes along",
    r"as alike as",
    r"told apart",
    r"stand-ins?",
    r"rest map",
    r"honest (columns|ones)",
    r"turns? round",
    r"surer than",
    r"how sure",
    r"near its like",
    r"power went",
    r"goes? on where",
    r"nobody is followed",
    r"nobody (knows|saw|sees|asked|tells|drew)",
    r"whom no(body|ne)",
    r"a (row|column|line|page) an? \w+",
    r"(faces|images|pictures|photos|photographs|bytes|rows|pixels) a (second|face|row|step|picture|image)",
    r"facedis\.(measures|studies|shipped|rendered)\b",
]

FILES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".py", ".svg")),
    *sorted(path for path in (ROOT / "facedis").rglob("*") if path.suffix in (".py", ".html", ".toml")),
]


def _pattern():
    names = f"{IDENTIFIERS}|{OPTIONS}|{SETTINGS.replace('-', '[_-]')}"
    phrases = "|".join(phrase.replace(" ", r"[\s#]+") for phrase in PHRASES)
    return re.compile(rf"(?<![\w-])(?:{names})(?![\w-])|(?i:\b(?:{phrases})\b)")


PATTERN = _pattern()


def _found(text):
    return sorted({" ".join(match.group().split()) for match in PATTERN.finditer(text)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_has_no_private_words(path):
    assert not _found(path.read_text(encoding="utf-8"))


def _commands(command, words=()):
    yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from _commands(each, (*words, name))


@pytest.mark.parametrize("words", list(_commands(typer.main.get_command(cli.app()))), ids=" ".join)
def test_help_has_no_private_words(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    full = CliRunner().invoke(cli.app(), [*words, "--help-all"])
    shown = full if full.exit_code == 0 else CliRunner().invoke(cli.app(), [*words, "--help"])
    assert shown.exit_code == 0
    assert not _found(shown.output)


def test_words_are_found():
    assert _found("two faces, a row a\nface, with --size 96 and draw_epochs; the Opponents") == [
        "--size",
        "Opponents",
        "a row a face",
        "draw_epochs",
    ]
    assert not _found("--batch-size --image-size decoder.epochs expression_dim min_face_size teachers")
