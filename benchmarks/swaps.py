"""Ablation of the decoder's loss terms: swaps between and within identities, scored by separate evaluators.

Each row trains a new decoder from the same random weights on one finished encoder, with the terms up to its
place in `ROWS`. Swaps are evaluated on a rendered grid of unseen identities, for which ground truth exists.

    facedis align && facedis align ~/.cache/facedis/rendered-faces-2/grid -o grid.h5
    facedis synth --scenes --identities 240 --image-size 96 --seed 7 -o scenes && facedis align scenes -o scenes.h5
    facedis train --preset clean --decoder.faces scenes.h5 --name clean
    python benchmarks/train_evaluators.py faces.h5 -o judges
    python benchmarks/swaps.py runs/clean grid.h5 judges --faces scenes.h5 -o docs/results/swaps

Also writes a sheet of the last row's swaps, and one image with the same swaps by all rows.
"""

import argparse
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from PIL import Image, ImageDraw, ImageFont

from facedis import __version__
from facedis.config import ModelConfig, SwapEvalConfig, TrainConfig, as_dict, resolve
from facedis.faces.cache.cache import FacesCache
from facedis.faces.io.provenance import save_image
from facedis.model.network.disentangler import build
from facedis.model.storage.checkpoint import MODEL, Run, load_run, named_tensors, save_tensors, write_info
from facedis.presets import read_preset
from facedis.reports.figures.swap_sheet import CAPTION, GAP, TILE, write_swap_sheet
from facedis.reports.terminal.swap_eval import estimates
from facedis.tasks.swapping.evaluators import load_expression_evaluator, load_identity_evaluator
from facedis.tasks.swapping.swap_evaluation import evaluate_swaps
from facedis.tasks.swapping.swap_metrics import Evaluators, SwapExample
from facedis.training.data import training_data
from facedis.training.decoder.decoder_trainer import DecoderTrainer
from facedis.training.setup import Job

#: Settings of the preset that each row adds to the row above; None: the decoder of the run.
ROWS = {
    "decoder of the run": None,
    "L1 reconstruction": ("l1_weight", "same_class_prob"),
    "+ spatial rest code": ("spatial_rest_channels",),
    "+ paired targets": ("paired_prob", "map_invariance_weight"),
    "+ SSIM loss": ("ssim_weight",),
    "+ perceptual loss": ("perceptual_weight",),
    "+ change weight": ("change_weight",),
    "+ expression loss": ("expression_weight",),
    "+ code consistency": ("code_consistency_weight",),
    "+ map confusion": ("map_confusion_weight",),
    "+ GAN loss": ("gan_weight",),
}
COLUMNS = {
    "target expression": "transfer",
    "source expression": "copy_rate",
    "closer to rest donor": "closer_to_rest_donor",
    "SSIM": "ssim",
}
#: Number of swaps in the image of all rows, and width of its row names in pixels.
SHOWN, MARGIN = 8, 150


def settings(run: Run, row: str, options: argparse.Namespace) -> tuple[ModelConfig, TrainConfig]:
    """Settings of the preset `clean` with the terms up to `row` only."""
    named = [name for terms in list(ROWS.values())[: list(ROWS).index(row) + 1] for name in terms or ()]
    preset = read_preset("clean-scenes")
    kept = ("decoder_kind", "decoder_width", "spatial_rest_channels", "spatial_rest_size", "spatial_rest_context")
    model = {name: preset["model"][name] for name in kept} | {"decoder": "post-hoc"}
    model |= {} if "spatial_rest_channels" in named else {"spatial_rest_channels": 0}
    terms = {name for of_row in ROWS.values() for name in of_row or () if name != "spatial_rest_channels"}
    decoder = dict(preset["decoder"]) | {name: 0.0 for name in terms - set(named)}
    decoder |= {"epochs": options.epochs or decoder["epochs"], "faces": str(options.faces.absolute())}
    settings = {"decoder": decoder, "precision": options.precision}
    return replace(run.config, **model), resolve(TrainConfig, as_dict(run.train_config), settings)


def train_decoder(run: Run, row: str, place: Path, options: argparse.Namespace) -> None:
    """Train a decoder for the encoder of `run`, into the run folder `place`."""
    model_config, config = settings(run, row, options)
    sizes = {name: one["size"] for name, one in run.info["factors"].items()} | {"expression": len(run.classes)}
    with FacesCache.open(options.faces) as cache:
        data = training_data(cache)
        torch.manual_seed(config.seed)
        model, _ = build(replace(model_config, weights="none"), sizes)
        finished = {
            name: value
            for name, value in run.model.state_dict().items()
            if not name.startswith(("decoder.", "spatial_rest."))
        }
        model.load_state_dict(finished, strict=False)
        write_info(place, run.info | {"model": as_dict(model_config), "train": as_dict(config)})
        precision = {"32": "32-true", "bf16": "bf16-mixed"}[options.precision]
        fabric = Fabric(accelerator="auto", devices=1, precision=precision)
        job = Job(options.faces, place, model_config, config)
        DecoderTrainer(fabric, job, data, model).run_epochs(threading.Event())
    save_tensors(place / MODEL, named_tensors({"model": model, "adversary": run.adversary}))


def evaluate(place: Path, options: argparse.Namespace) -> tuple[dict, list[SwapExample]]:
    """Scores of the swaps of the run `place`, and examples of them, the same for each run."""
    run = load_run(place)
    judges = Evaluators(
        load_expression_evaluator(options.judges / "expression", run),
        load_identity_evaluator(str(options.judges / "identity"), run),
    )
    with FacesCache.open(options.grid) as cache:
        found = evaluate_swaps(run, cache, SwapEvalConfig(pairs=options.pairs), judges)
    measured = {
        kind: {name: asdict_of(estimates(found.to_dict(), name, kind)) for name in COLUMNS.values()}
        for kind in ("across", "within")
    }
    return measured, found.examples


def pictures(shown: dict[str, Sequence[SwapExample]], path: Path) -> None:
    """Image of the same swaps by all rows, one column per swap, with donors above and ground truth below."""
    first = list(next(iter(shown.values())))[:SHOWN]
    lines = {
        "rest donor": [each.rest_donor for each in first],
        "expression donor": [each.expression_donor for each in first],
    }
    lines |= {row: [each.swap for each in swaps[:SHOWN]] for row, swaps in shown.items()}
    lines["ground truth"] = [each.truth for each in first]
    step = TILE + GAP
    sheet = Image.new("RGB", (MARGIN + len(first) * step, CAPTION + len(lines) * step), "white")
    pen, font, small = ImageDraw.Draw(sheet), ImageFont.load_default(11), ImageFont.load_default(9)
    for column, each in enumerate(first):
        pen.text((MARGIN + column * step, 2), f"{each.rest_expression} > {each.expression}", "dimgrey", small)
    for number, (label, tiles) in enumerate(lines.items()):
        top = CAPTION + number * step
        pen.text((GAP, top + TILE // 2), label, "black", font)
        for column, tile in enumerate(tiles):
            if tile is not None:
                tile = Image.fromarray(tile).resize((TILE, TILE), Image.Resampling.BICUBIC)
                sheet.paste(tile, (MARGIN + column * step, top))
    save_image(sheet, path)


def asdict_of(found: dict | None) -> dict | None:
    """Estimates as JSON."""
    return found and {name: each if isinstance(each, dict) else asdict(each) for name, each in found.items()}


def table(rows: dict) -> str:
    """Markdown tables of the swaps between and within identities, with the controls below."""
    lines = []
    for kind, title in (("across", "Across identities"), ("within", "Within one identity")):
        names = [name for name, key in COLUMNS.items() if any(row[kind][key] for row in rows.values())]
        lines += [f"{title}:", "", "| | " + " | ".join(names) + " |", "| :-- |" + " --: |" * len(names)]
        for label, row in rows.items():
            lines.append(f"| {label} | " + " | ".join(cell(row[kind][COLUMNS[name]], "swap") for name in names) + " |")
        last = list(rows.values())[-1][kind]
        for key in ("copying", "reconstruction", "real", "mean_face"):
            cells = [cell(last[COLUMNS[name]], key) for name in names]
            lines.append(f"| *{key.replace('_', ' ')}* | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def cell(found: dict | None, key: str) -> str:
    """An estimate with its interval."""
    figure = (found or {}).get(key)
    if figure is None:
        return ""
    low, high = figure["low"], figure["high"]
    return f"{figure['value']:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def main() -> None:
    """Train missing decoders, evaluate all, and write the table and the images."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="a run of the preset clean: its encoder is used")
    parser.add_argument("grid", type=Path, help="cache of the rendered grid")
    parser.add_argument("judges", type=Path, help="output of benchmarks/train_evaluators.py")
    parser.add_argument("--faces", type=Path, required=True, help="a cache of rendered scenes, to train the decoder")
    parser.add_argument("--only", action="append", choices=ROWS, help="rows; default: all")
    parser.add_argument("--work", type=Path, default=Path("swaps"), help="folder of the rows' runs")
    parser.add_argument("--epochs", type=int, help="default: that of the preset")
    parser.add_argument("--precision", choices=("32", "bf16"), default="bf16")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("-o", "--output", type=Path, default=Path("swaps"), help="path without suffix")
    options = parser.parse_args()
    run, rows, shown = load_run(options.run), {}, {}
    chosen = [row for row in ROWS if not options.only or row in options.only]
    for row in chosen:
        place = options.run if ROWS[row] is None else options.work / row.replace(" ", "-").replace("'", "")
        if not (place / MODEL).exists():
            place.mkdir(parents=True, exist_ok=True)
            train_decoder(run, row, place, options)
        rows[row], shown[row] = evaluate(place, options)
        print(row, table({row: rows[row]}), sep="\n", flush=True)
    about = {"facedis": __version__, "torch": torch.__version__, "encoder_seed": run.train_config.seed}
    epochs = options.epochs or read_preset("clean-scenes")["decoder"]["epochs"]
    about |= {"rows": rows, "epochs": epochs, "precision": options.precision}
    options.output.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")
    options.output.with_suffix(".md").write_text(table(rows))
    write_swap_sheet(shown[chosen[-1]], options.output.with_suffix(".webp"))
    pictures(shown, options.output.with_name(f"{options.output.name}_rows.webp"))


if __name__ == "__main__":
    main()
