"""`facedis train`: the adversarial training of the paper on a faces cache."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, DeviceOption, Quiet, SettingsFile, event_handler, show

_GAME, _NETWORK, _TRAINING = "The game (eq. 1-3)", "The network", "Training"
_BEYOND = "Beyond the paper (off unless named)"
_DRAWING = "Drawing with --decoder later"


def train(
    faces: Annotated[Path, typer.Option("--faces", help="Faces cache made by `facedis align`.")] = Path("faces.h5"),
    preset: Annotated[
        str | None,
        typer.Option(
            help="paper: the paper's network and values. small: minutes on a laptop. clean: small, against leaks. "
            "Default: by the faces."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run folder. Default: time, trunk, beta1.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the run folders.")] = Path("runs"),
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with this stopped run exactly where it stopped; other options are ignored."),
    ] = None,
    beta1: Annotated[
        float | None,
        typer.Option(help="Weight of the reconstruction loss. The paper's best is 0.", rich_help_panel=_GAME),
    ] = None,
    beta2: Annotated[float | None, typer.Option(help="Weight of the expression loss.", rich_help_panel=_GAME)] = None,
    beta3: Annotated[
        float | None, typer.Option(help="Weight of the confusion loss of the rest branch.", rich_help_panel=_GAME)
    ] = None,
    baseline: Annotated[
        bool | None,
        typer.Option("--baseline", help="No rest branch and no adversary: Table 1's baseline.", rich_help_panel=_GAME),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="none, joint (trained with the codes), rest (with the rest branch only), detached (touches no code), "
            "later (learns to swap once the codes are finished), auto.",
            rich_help_panel=_GAME,
        ),
    ] = None,
    adversary_steps: Annotated[
        int | None, typer.Option(help="Adversary steps for each encoder step.", rich_help_panel=_GAME)
    ] = None,
    reconstruction: Annotated[
        str | None, typer.Option(help="sum (the paper's squared norm) or mean over pixels.", rich_help_panel=_GAME)
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option(
            help="Known factors to learn too, each FACTOR or FACTOR:BRANCH, as in identity,yaw: every branch is taught "
            "its own and cleaned of the others. identity belongs to the rest branch.",
            rich_help_panel=_BEYOND,
        ),
    ] = None,
    own_weight: Annotated[
        float | None, typer.Option(help="Of the losses that teach further factors.", rich_help_panel=_BEYOND)
    ] = None,
    clean_weight: Annotated[
        float | None,
        typer.Option(help="Of the confusion about further factors, times beta3.", rich_help_panel=_BEYOND),
    ] = None,
    adversary: Annotated[
        str | None,
        typer.Option(help="Adversaries of each code, as in linear,mlp,mlp: a pool.", rich_help_panel=_BEYOND),
    ] = None,
    confusion: Annotated[
        str | None,
        typer.Option(help="uniform (eq. 2), prior, reversal, entropy, hsic.", rich_help_panel=_BEYOND),
    ] = None,
    adversary_restart: Annotated[
        int | None, typer.Option(help="Epochs after which adversaries begin anew; 0: never.", rich_help_panel=_BEYOND)
    ] = None,
    warm_up: Annotated[
        float | None, typer.Option(help="Share of the run before beta3 counts.", rich_help_panel=_BEYOND)
    ] = None,
    ramp: Annotated[
        float | None, typer.Option(help="Share of the run in which beta3 rises.", rich_help_panel=_BEYOND)
    ] = None,
    rest_gradient: Annotated[
        float | None,
        typer.Option(help="Share of the rest branches' gradient that reaches the trunk.", rich_help_panel=_BEYOND),
    ] = None,
    rest_stages: Annotated[
        int | None,
        typer.Option(
            help="Last stages of the trunk that the rest branches have to themselves.", rich_help_panel=_BEYOND
        ),
    ] = None,
    code_norm: Annotated[
        str | None, typer.Option(help="What bounds the codes: none, batch or unit.", rich_help_panel=_BEYOND)
    ] = None,
    keep_directions: Annotated[
        int | None,
        typer.Option(
            help="Directions that the rest code has at the end, those that tell most of what it must keep; 0: all.",
            rich_help_panel=_BEYOND,
        ),
    ] = None,
    code_noise: Annotated[
        float | None,
        typer.Option(help="Deviation of the noise on the expression code in training.", rich_help_panel=_BEYOND),
    ] = None,
    keep_embedding: Annotated[
        float | None,
        typer.Option(
            help="Of a loss by which the rest code must tell the trunk's features, the expression erased.",
            rich_help_panel=_BEYOND,
        ),
    ] = None,
    keep_picture: Annotated[
        float | None,
        typer.Option(
            help="Of a loss by which the rest code must tell the face in 8 x 8 pixels, the expression erased.",
            rich_help_panel=_BEYOND,
        ),
    ] = None,
    keep_variance: Annotated[
        float | None, typer.Option(help="Of a floor under the rest code's spread.", rich_help_panel=_BEYOND)
    ] = None,
    keep_apart: Annotated[
        float | None,
        typer.Option(help="Of the correlations between the rest code's numbers.", rich_help_panel=_BEYOND),
    ] = None,
    erase: Annotated[
        bool | None,
        typer.Option(
            "--erase",
            help="At the end, erase the expression from the rest code in closed form.",
            rich_help_panel=_BEYOND,
        ),
    ] = None,
    trunk: Annotated[
        str | None,
        typer.Option(
            help="inception_resnet_v1 (the paper's), resnet18, resnet18_half and resnet18_faces (for small faces), "
            "mobilenet_v3_large, efficientnet_b0, or a plugin's.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="vggface2, casia-webface, imagenet, a file, a run folder, a packed model, or none (random). Default: "
            "the trunk's own; resnet18_half and resnet18_faces have none.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Never download weights.", rich_help_panel=_NETWORK)
    ] = False,
    size: Annotated[int | None, typer.Option(help="Side of the input in pixels.", rich_help_panel=_NETWORK)] = None,
    branch: Annotated[str | None, typer.Option(help="full or light (5x faster).", rich_help_panel=_NETWORK)] = None,
    branch_norm: Annotated[
        bool | None, typer.Option("--branch-norm", help="BatchNorm in the branches.", rich_help_panel=_NETWORK)
    ] = None,
    expression_size: Annotated[
        int | None, typer.Option(help="Length of the expression code.", rich_help_panel=_NETWORK)
    ] = None,
    rest_size: Annotated[int | None, typer.Option(help="Length of the rest code.", rich_help_panel=_NETWORK)] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Before the two linear classifiers.", rich_help_panel=_NETWORK)
    ] = None,
    decoder_kind: Annotated[
        str | None,
        typer.Option(
            help="deconv (the paper's), resize (no checkerboard) or styled (told the codes at every size).",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    rest_map: Annotated[
        int | None,
        typer.Option(help="Channels of a rest code with places, for the decoder only.", rich_help_panel=_DRAWING),
    ] = None,
    rest_map_side: Annotated[
        int | None, typer.Option(help="Places of it in a row: 8 or 16.", rich_help_panel=_DRAWING)
    ] = None,
    rest_map_sight: Annotated[
        str | None,
        typer.Option(
            help="What it is made of: the picture around the middle of the face, or the whole.",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    draw_faces: Annotated[
        str | None,
        typer.Option(
            metavar="CACHE",
            help="Other faces to learn to draw from; default: those that the codes are learned from.",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    draw_epochs: Annotated[
        int | None, typer.Option(help="Passes of a decoder that learns later.", rich_help_panel=_DRAWING)
    ] = None,
    draw_batch: Annotated[int | None, typer.Option(help="Faces a step of them.", rich_help_panel=_DRAWING)] = None,
    draw_warm_up: Annotated[
        float | None,
        typer.Option(help="Share of them in which faces are not swapped yet.", rich_help_panel=_DRAWING),
    ] = None,
    draw_augment: Annotated[
        str | None,
        typer.Option(help="Of the faces to draw: none, flip, mild or strong.", rich_help_panel=_DRAWING),
    ] = None,
    draw_pixels: Annotated[
        float | None, typer.Option(help="Of the difference to the face itself.", rich_help_panel=_DRAWING)
    ] = None,
    draw_structure: Annotated[
        float | None, typer.Option(help="Of 1 - SSIM to the face itself.", rich_help_panel=_DRAWING)
    ] = None,
    draw_features: Annotated[
        float | None, typer.Option(help="Of the distance in the finished trunk's maps.", rich_help_panel=_DRAWING)
    ] = None,
    draw_swap: Annotated[
        float | None,
        typer.Option(
            help="Of the expression that the finished head reads in a swapped face.", rich_help_panel=_DRAWING
        ),
    ] = None,
    draw_codes: Annotated[
        float | None, typer.Option(help="Of the codes of a swapped face, encoded again.", rich_help_panel=_DRAWING)
    ] = None,
    draw_back: Annotated[
        float | None,
        typer.Option(help="Of the face that should be there again after swapping twice.", rich_help_panel=_DRAWING),
    ] = None,
    draw_stand_in: Annotated[
        float | None,
        typer.Option(
            help="Share of faces redrawn with the expression code of another face of that expression.",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    draw_truth: Annotated[
        float | None,
        typer.Option(
            help="Share of faces drawn as another of that person in that pose and light, where there is one.",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    draw_change: Annotated[
        float | None,
        typer.Option(help="How much more pixels count in which those two faces differ.", rich_help_panel=_DRAWING),
    ] = None,
    draw_still: Annotated[
        float | None,
        typer.Option(help="Of the difference between the rest maps of those two.", rich_help_panel=_DRAWING),
    ] = None,
    draw_clean: Annotated[
        float | None,
        typer.Option(help="Of the confusion about the expression in the rest map.", rich_help_panel=_DRAWING),
    ] = None,
    draw_real: Annotated[
        float | None,
        typer.Option(
            help="Of passing as a real face of the wanted expression before a critic that learns along.",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the train split.", rich_help_panel=_TRAINING)] = None,
    batch: Annotated[int | None, typer.Option(help="Faces a step and process.", rich_help_panel=_TRAINING)] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam, adamw or sgd.", rich_help_panel=_TRAINING)] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate above the trunk.", rich_help_panel=_TRAINING)] = None,
    lr_trunk: Annotated[
        float | None,
        typer.Option(help="Of the trunk; 0: lr, or lr / 10 with pretrained weights.", rich_help_panel=_TRAINING),
    ] = None,
    lr_adversary: Annotated[float | None, typer.Option(help="Of the adversary.", rich_help_panel=_TRAINING)] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="On all but the adversary.", rich_help_panel=_TRAINING)
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="cosine, onecycle or constant.", rich_help_panel=_TRAINING)
    ] = None,
    train_trunk: Annotated[
        str | None, typer.Option(help="all, last (only the last stage) or none.", rich_help_panel=_TRAINING)
    ] = None,
    trunk_norm: Annotated[
        str | None,
        typer.Option(
            help="Trunk BatchNorm: eval (fixed), train, auto (eval if pretrained).", rich_help_panel=_TRAINING
        ),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help="What makes classes equal: sampler, loss, adversary (its loss only), none.", rich_help_panel=_TRAINING
        ),
    ] = None,
    augment: Annotated[str | None, typer.Option(help="none, flip, mild or strong.", rich_help_panel=_TRAINING)] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Of the expression loss.", rich_help_panel=_TRAINING)
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Finished runs, as in runs/a,runs/b, whose probabilities the expression head learns beside the labels "
            "(distillation).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    teacher_share: Annotated[
        float | None, typer.Option(help="Of the expression loss that is the teachers'.", rich_help_panel=_TRAINING)
    ] = None,
    mixup: Annotated[
        float | None,
        typer.Option(help="Blend faces and their labels, by shares from Beta(A, A).", rich_help_panel=_TRAINING),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(help="Keep the running mean of the weights, of this decay (EMA).", rich_help_panel=_TRAINING),
    ] = None,
    sharpness: Annotated[
        float | None,
        typer.Option(help="Sharpness-aware steps (SAM) of this radius; doubles the time.", rich_help_panel=_TRAINING),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            help="Model to keep: last, best (on val), auto (best if a test split exists).", rich_help_panel=_TRAINING
        ),
    ] = None,
    precision: Annotated[str | None, typer.Option(help="32, bf16 or 16.", rich_help_panel=_TRAINING)] = None,
    device: DeviceOption = None,
    devices: Annotated[int | None, typer.Option(help="Processes on this node.", rich_help_panel=_TRAINING)] = None,
    nodes: Annotated[int | None, typer.Option(help="Nodes, under torchrun.", rich_help_panel=_TRAINING)] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, order and augmentation.", rich_help_panel=_TRAINING)
    ] = None,
    compile: Annotated[
        bool | None,
        typer.Option("--compile", help="torch.compile: a slow start, then faster.", rich_help_panel=_TRAINING),
    ] = None,
    checkpoint_minutes: Annotated[
        float | None, typer.Option(help="Time between checkpoints inside an epoch.", rich_help_panel=_TRAINING)
    ] = None,
    tensorboard: Annotated[
        bool | None,
        typer.Option("--tensorboard", help="Also write TensorBoard files into the run.", rich_help_panel=_TRAINING),
    ] = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train the disentangling model: faces.h5 -> runs/NAME, with runs/latest pointing to it.

    The expression branch learns the labels; the rest branch learns to hide them from an adversary
    that learns along. Ctrl-C saves and stops; --resume goes on, exactly.
    """
    options = dict(locals())
    from facedis.config import ModelConfig, TrainConfig, read_settings
    from facedis.reports.terminal.train import render
    from facedis.tasks.experiments.training import TrainOptions
    from facedis.tasks.experiments.training import resume as resume_training
    from facedis.tasks.experiments.training import train as run_training

    handler = event_handler(as_json, quiet)
    if resume is not None:
        result = resume_training(resume, handler)
    else:
        wish = TrainOptions(
            preset=preset,
            name=name,
            folder=runs,
            file=read_settings(config),
            model={key: options[key] for key in ModelConfig.__dataclass_fields__ if key in options},
            train={key: options[key] for key in TrainConfig.__dataclass_fields__ if key in options},
            offline=offline,
        )
        result = run_training(faces, wish, handler)
    show(result, render, as_json, quiet)
