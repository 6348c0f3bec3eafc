"""The objective of a post-hoc decoder: terms for reconstructed and for swapped faces.

Modules that each term trains (x: gets a gradient); trunk, branches and classifiers are constants in all terms:

    term               spatial rest branch   De    adversary of the map   discriminator
    l1                         x             x
    ssim                       x             x
    perceptual                 x             x
    expression                 x             x
    code_consistency           x             x
    cycle                      x             x
    map_invariance             x
    map_confusion              x
    gan                        x             x
    (adversary losses)                                     x                   x

Reconstruction alone is a weak signal for expressions, which change few pixels. The ground truth of a swapped face
is usually unknown; instead, its codes are compared with those it must have: the expression code of the donor and
otherwise unchanged codes. `augment_swap` prevents adversarial patterns and unnatural colours. For faces in scenes
(`facedis.faces.cache.scenes`) the ground truth is known, and some targets are other faces of the scene.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from facedis.config import DecoderConfig
from facedis.metrics.generation.image_quality import ssim_map
from facedis.model.losses.image_losses import WINDOW, change_weights, perceptual_loss
from facedis.model.losses.objective import confusion_loss
from facedis.model.network.disentangler import Codes, Disentangler
from facedis.model.network.spatial_rest import MAP
from facedis.model.preprocessing import luma
from facedis.training.decoder.decoder_adversaries import DecoderAdversaries
from facedis.training.decoder.donors import DonorAssignment

#: In the order of the history.
TERMS = (
    *("l1", "ssim", "perceptual", "expression", "code_consistency", "cycle"),
    *("map_invariance", "map_confusion", "gan"),
)
#: Terms of the warm-up. Before the decoder can reconstruct, the gradients of the others are noise.
WARMUP_TERMS = ("l1", "ssim", "map_invariance", "map_confusion")
#: Number of stages of the trunk whose feature maps the perceptual loss compares.
STAGES = 3
#: Largest random shift, as a fraction of the side, and change of scale of a swapped face before it is encoded.
SHIFT, SCALE = 0.06, 0.15


class DecoderOutput(NamedTuple):
    """Result of the objective for one batch.

    Attributes:
        terms: The weighted terms, scalars, by name.
        spatial_rest: (B, M * P * P) spatial rest codes, or None.
        swapped: (B, 3, S, S) swapped faces, or None if no term needs them.
    """

    terms: Mapping[str, Tensor]
    spatial_rest: Tensor | None
    swapped: Tensor | None


class DecoderObjective(nn.Module):
    """All terms for one batch, as a module that Fabric can wrap.

    Args:
        model: A finished encoder; only its decoder and its spatial rest branch are trained.
        adversaries: Constants here.
        config: Weights of the terms; terms with weight 0 are not computed.
    """

    def __init__(self, model: Disentangler, adversaries: DecoderAdversaries, config: DecoderConfig) -> None:
        super().__init__()
        self.model, self.config = model, config
        # In a tuple, they are not submodules: they have their own optimiser.
        self.constants = (adversaries.map_adversary, adversaries.discriminator)

    def train(self, mode: bool = True) -> "DecoderObjective":
        """Set only the trained parts to training mode; the finished parts keep their running statistics."""
        self.training = mode
        self.model.eval()
        for module in self.model.decoder_modules():
            module.train(mode)
        return self

    def forward(
        self, images: Tensor, labels: Tensor, assignment: DonorAssignment, warmup: bool = False
    ) -> DecoderOutput:
        """Compute the terms.

        Args:
            images: (B, 3, S, S) in [0, 1].
            labels: (B,) expressions.
            assignment: Targets and donors.
            warmup: Compute only the terms of `WARMUP_TERMS`, and no swapped faces.
        """
        weights = {name: getattr(self.config, f"{name}_weight") for name in (WARMUP_TERMS if warmup else TERMS)}
        enabled = {name for name, weight in weights.items() if weight}
        codes = self.model.encode(images)
        expressions = [codes.expression[assignment.same_class_donors]]
        if enabled - {*WARMUP_TERMS, "perceptual"}:
            expressions.append(codes.expression[assignment.donors])
        generated = self.model.decode(_with_expressions(codes, expressions)).float().chunk(len(expressions))
        terms = self._reconstruction_terms(generated[0], images, images[assignment.targets], enabled)
        swapped = generated[1] if len(generated) > 1 else None
        if swapped is not None:
            terms |= self._swap_terms(swapped, images, codes, labels, assignment.donors, enabled)
        spatial_rest = codes.others.get(MAP)
        if spatial_rest is not None:
            terms |= self._map_terms(spatial_rest, assignment.targets, enabled)
        discriminator = self.constants[1]
        if "gan" in enabled and discriminator is not None:
            terms["gan"] = -_as_constant(discriminator)(swapped, labels[assignment.donors]).mean()
        return DecoderOutput({name: weights[name] * term for name, term in terms.items()}, spatial_rest, swapped)

    def _reconstruction_terms(
        self, reconstructed: Tensor, images: Tensor, targets: Tensor, enabled: set[str]
    ) -> dict[str, Tensor]:
        weight = change_weights(images, targets, self.config.change_weight)
        terms = {"l1": (weight * (reconstructed - targets).abs()).mean()}
        if "ssim" in enabled:
            inner = slice(WINDOW // 2, -(WINDOW // 2))
            terms["ssim"] = (weight[..., inner, inner] * (1 - ssim(reconstructed, targets))).mean()
        if "perceptual" in enabled:
            with torch.no_grad():
                target_maps = _feature_maps(self.model, targets)
            terms["perceptual"] = perceptual_loss(_feature_maps(self.model, reconstructed), target_maps)
        return terms

    def _swap_terms(
        self, swapped: Tensor, images: Tensor, codes: Codes, labels: Tensor, donors: Tensor, enabled: set[str]
    ) -> dict[str, Tensor]:
        """Terms of the codes of the swapped faces."""
        terms: dict[str, Tensor] = {}
        if not enabled & {"expression", "code_consistency", "cycle"}:
            return terms
        model = self.model
        inputs, moved_images = augment_swap(swapped, images)
        found = model.encode(inputs)
        if "expression" in enabled:
            terms["expression"] = F.cross_entropy(model.expression_head(found.expression), labels[donors])
        if "code_consistency" in enabled:
            with torch.no_grad():
                moved = model.encode(moved_images)
            target = moved._replace(expression=codes.expression[donors])
            terms["code_consistency"] = code_distance(found, target)
        if "cycle" in enabled:
            swapped_back = model.decode(found._replace(expression=codes.expression)).float()
            terms["cycle"] = (swapped_back - moved_images).abs().mean()
        return terms

    def _map_terms(self, spatial_rest: Tensor, targets: Tensor, enabled: set[str]) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        adversary = self.constants[0]
        if "map_invariance" in enabled:  # the map has variance 1
            terms["map_invariance"] = (spatial_rest - spatial_rest[targets]).square().mean()
        if "map_confusion" in enabled and adversary is not None:
            logits = _as_constant(adversary)(spatial_rest)
            terms["map_confusion"] = torch.stack([confusion_loss(each) for each in logits]).mean()
        return terms


def augment_swap(swapped: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Prepare swapped faces for the encoder: a small random shift and scale, and gradient to the brightness only.

    Codes must not depend on the exact position, which excludes adversarial patterns of single pixels. The gradient
    may change the brightness of a region, but not its hue: otherwise the expression loss accepts unnatural colours,
    such as a dark blue mouth.

    Args:
        swapped: (B, 3, S, S) in [0, 1]; gets the gradient.
        images: (B, 3, S, S) in [0, 1], the donors of the rest code.

    Returns:
        (B, 3, S, S) swapped faces and rest donors, with the same shift and scale.
    """
    bright = luma(swapped)
    inputs = swapped.detach() + bright - bright.detach()
    draws = 2 * torch.rand(len(inputs), 3, device=inputs.device) - 1
    scales = torch.diag_embed((1 + SCALE * draws[:, :1]).expand(-1, 2))
    matrix = torch.cat([scales, 2 * SHIFT * draws[:, 1:, None]], dim=2)
    grid = F.affine_grid(matrix, list(inputs.shape), align_corners=False)
    both = F.grid_sample(torch.cat([inputs, images], dim=1), grid, padding_mode="border", align_corners=False)
    return both[:, :3], both[:, 3:]


def ssim(images: Tensor, targets: Tensor) -> Tensor:
    """Structural similarity of each window of two batches of images; at most 1.

    Unlike the absolute difference, it penalises blur where the position of an edge is uncertain.

    Args:
        images: (B, 3, S, S) in [0, 1].
        targets: (B, 3, S, S) in [0, 1].

    Returns:
        (B, 3, S - 6, S - 6), one value per window of 7 x 7 pixels.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, eq. 13; as a loss: Zhao, Gallo, Frosio & Kautz 2017.
    Deviation: the window is uniform and not Gaussian.
    """
    x, y = images.float(), targets.float()
    return ssim_map(1, *F.avg_pool2d(torch.cat([x, y, x * x, y * y, x * y]), WINDOW, 1).chunk(5))


def code_distance(codes: Codes, targets: Codes) -> Tensor:
    """Mean squared difference of the codes, each in units of the target's variance; mean over the codes."""
    pairs = zip(codes.named().values(), targets.named().values(), strict=True)
    return torch.stack([(a - b).square().mean() / b.detach().var().clamp_min(1e-6) for a, b in pairs]).mean()


def _feature_maps(model: Disentangler, images: Tensor) -> list[Tensor]:
    """Outputs of the first `STAGES` stages of the trunk."""
    trunk, found = model.trunk, []
    maps = (images - trunk.mean) / trunk.std
    for stage in trunk.stages[:STAGES]:
        maps = stage(maps)
        found.append(maps)
    return found


def _with_expressions(codes: Codes, expressions: list[Tensor]) -> Codes:
    """The batch of `codes` repeated once per element of `expressions`, with these expression codes."""
    n = len(expressions)
    named = {name: code.repeat(n, 1) for name, code in codes.named().items()}
    return Codes.of(named | {"expression": torch.cat(expressions)})


def _as_constant(module: nn.Module) -> Callable[..., Tensor]:
    """`module` with its parameters detached."""
    constants = {name: value.detach() for name, value in module.named_parameters()}
    return lambda *arguments: functional_call(module, constants, arguments)
