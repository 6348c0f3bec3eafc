"""What a decoder learns from once the encoder is finished: faces redrawn, and faces swapped.

Which term moves what (x: gets a gradient); trunk, branches and heads are constants in all of them:

    term          rest map's branch   De    adversary of the map   discriminator
    pixels               x            x
    structure            x            x
    features             x            x
    swap                 x            x
    codes                x            x
    back                 x            x
    still                x
    clean                x
    real                 x            x
    (their own losses)                               x                x

Redrawing alone teaches a decoder little about expressions: they are few pixels, and where the rest
codes tell nothing of pose and light, the few are blurred besides. What a swap should look like is
known of few photographs; but that the swapped face must show the donor's expression, and still be the
same face, can be asked of the finished encoder itself, as long as it is not deceived by patterns and colours that
no face has (`augment_swap`). Where it is known, in scenes (`facedis.faces.cache.scenes`), a share of the faces is not
redrawn but drawn as another of its scene, which teaches most.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from facedis.config import TrainConfig
from facedis.model.losses.objective import adversary_loss, confusion_loss
from facedis.model.network.adversaries import AdversaryEnsemble
from facedis.model.network.discriminator import PatchDiscriminator
from facedis.model.network.disentangler import Codes, Disentangler
from facedis.model.network.spatial_rest import MAP
from facedis.model.preprocessing import luma

#: In the order of the history.
TERMS = ("pixels", "structure", "features", "swap", "codes", "back", "still", "clean", "real")
#: What is learned before faces are swapped: whoever cannot draw a face yet answers to the others with noise.
WARM_UP = ("pixels", "structure", "still", "clean")
#: Stages of the trunk whose maps are compared: the later ones tell who and what, not where.
STAGES = 3
#: How far a swapped face is moved before the encoder is asked about it: share of the side, factor around 1.
SHIFT, SCALE = 0.06, 0.15
#: Side of the windows of `ssim` and `change_weights`.
WINDOW = 7


class DonorAssignment(NamedTuple):
    """Who takes which part for each face of a batch, as (B,) places in it.

    Attributes:
        targets: The face that shall be drawn: the face itself, or another of its scene.
        same_class_donors: Whose code of the target's expression it is drawn with.
        donors: Whose expression it gets where it is swapped without a known answer.
    """

    targets: Tensor
    same_class_donors: Tensor
    donors: Tensor


class DecoderObjective(nn.Module):
    """All terms of one batch, as one module, so that Fabric can wrap it.

    Args:
        model: Finished but for its decoder and the branch of its rest map, which alone are trained here.
        map_adversary: Reads the expression from the rest map; a constant here. None without a map.
        discriminator: Tells real faces from drawn ones; a constant here. None where nobody asks it.
        config: The weights of the terms; terms without a weight are not computed.
    """

    def __init__(
        self,
        model: Disentangler,
        map_adversary: AdversaryEnsemble | None,
        discriminator: PatchDiscriminator | None,
        config: TrainConfig,
    ) -> None:
        super().__init__()
        self.model, self.config = model, config
        # In a tuple, torch takes neither of them for a part of this module: both have their own optimiser.
        self.others = (map_adversary, discriminator)

    def train(self, mode: bool = True) -> "DecoderObjective":
        """Of the model only what is still being trained: the finished parts keep their statistics."""
        self.training = mode
        self.model.eval()
        for module in self.model.decoder_modules():
            module.train(mode)
        return self

    def forward(
        self, images: Tensor, labels: Tensor, parts: DonorAssignment, warm_up: bool = False
    ) -> tuple[Mapping[str, Tensor], Tensor | None, Tensor | None]:
        """The weighted terms, the rest map, and the swapped faces.

        Args:
            images: (B, 3, S, S) in [0, 1].
            labels: (B,) expressions.
            parts: Who gives what.
            warm_up: Only draw what is known: of the terms those of `WARM_UP`, and no swapped faces.
        """
        config, model, asked = self.config, self.model, self._asked()
        if warm_up:
            asked &= set(WARM_UP)
        codes, donors, wanted = model.encode(images), parts.donors, images[parts.targets]
        given = [codes.expression[parts.same_class_donors]]
        given += [] if asked <= {*WARM_UP, "features"} else [codes.expression[donors]]
        drawn = model.decode(_with(codes, given)).float().chunk(len(given))
        redrawn, swapped = drawn[0], drawn[1] if len(drawn) > 1 else None
        weight = change_weights(images, wanted, config.draw_change)
        terms = {"pixels": (weight * (redrawn - wanted).abs()).mean()}
        if "structure" in asked:
            inner = slice(WINDOW // 2, -(WINDOW // 2))
            terms["structure"] = (weight[..., inner, inner] * (1 - ssim(redrawn, wanted))).mean()
        if "features" in asked:
            terms["features"] = perceptual_loss(model, redrawn, wanted)
        if asked & {"swap", "codes", "back"}:
            shown, faces = augment_swap(swapped, images)
            again = model.encode(shown)
        if "swap" in asked:
            terms["swap"] = F.cross_entropy(model.expression_head(again.expression), labels[donors])
        if "codes" in asked:
            with torch.no_grad():
                moved = model.encode(faces)
            terms["codes"] = code_distance(again, moved._replace(expression=given[-1]))
        if "back" in asked:
            terms["back"] = (model.decode(again._replace(expression=codes.expression)).float() - faces).abs().mean()
        rest_map, (adversary, discriminator) = codes.others.get(MAP), self.others
        if "still" in asked and rest_map is not None:
            terms["still"] = (rest_map - rest_map[parts.targets]).square().mean()  # its numbers have variance 1
        if "clean" in asked and rest_map is not None and adversary is not None:
            answers = _as_constant(adversary)(rest_map)
            terms["clean"] = torch.stack([confusion_loss(logits) for logits in answers]).mean()
        if "real" in asked and discriminator is not None:
            terms["real"] = -_as_constant(discriminator)(swapped, labels[donors]).mean()
        return {name: getattr(config, f"draw_{name}") * term for name, term in terms.items()}, rest_map, swapped

    def _asked(self) -> set[str]:
        return {name for name in TERMS if getattr(self.config, f"draw_{name}")}


def perceptual_loss(model: Disentangler, drawn: Tensor, images: Tensor) -> Tensor:
    """Mean absolute difference of the trunk's first maps, each in units of its own deviation.

    Args:
        model: Its trunk is asked.
        drawn: (B, 3, S, S); gets the gradient.
        images: (B, 3, S, S).

    Source: Johnson et al., 1603.08155, with the model's own trunk in the place of VGG.
    """
    with torch.no_grad():
        wanted = list(_maps(model, images))
    found = zip(_maps(model, drawn), wanted, strict=True)
    return sum((a - b).abs().mean() / b.std().clamp_min(1e-6) for a, b in found) / STAGES


def change_weights(images: Tensor, wanted: Tensor, change: float) -> Tensor:
    """(B, 1, S, S) how much each pixel counts: more where the wanted face is not the one that is shown.

    A mouth is few pixels of a picture; where two faces of one scene differ, there is the expression.

    Args:
        images: (B, 3, S, S) the faces that the map is made of.
        wanted: (B, 3, S, S) those to be drawn; the same where nothing else is known.
        change: How much more a pixel counts that turned from black to white.
    """
    apart = (images - wanted).abs().mean(1, keepdim=True)
    return 1 + change * F.avg_pool2d(apart, WINDOW, 1, WINDOW // 2)


def augment_swap(swapped: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Swapped faces as the finished encoder is shown them, moved a little, and their rest donors moved alike.

    Its answer must hold wherever the face lies, which that to a pattern of single pixels does not. It may change how
    bright a place is, not its hue: asked about colours, it is content with a blue mouth if it is dark enough.

    Args:
        swapped: (B, 3, S, S) in [0, 1]; gets the gradient.
        images: (B, 3, S, S) in [0, 1].
    """
    bright = luma(swapped)
    shown = swapped.detach() + bright - bright.detach()
    draws = 2 * torch.rand(len(shown), 3, device=shown.device) - 1
    places = torch.diag_embed((1 + SCALE * draws[:, :1]).expand(-1, 2))
    matrix = torch.cat([places, 2 * SHIFT * draws[:, 1:, None]], dim=2)
    grid = F.affine_grid(matrix, list(shown.shape), align_corners=False)
    both = F.grid_sample(torch.cat([shown, images], dim=1), grid, padding_mode="border", align_corners=False)
    return both[:, :3], both[:, 3:]


def ssim(drawn: Tensor, images: Tensor) -> Tensor:
    """(B, 3, S - 6, S - 6) structural similarity, at most 1, of 7 x 7 windows of (B, 3, S, S) pictures in [0, 1].

    Absolute differences forgive a blur where an edge may lie here or there; this does not.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, eq. 13; as a loss: Zhao, Gallo, Frosio & Kautz 2017.
    """
    x, y, c1, c2 = drawn.float(), images.float(), 0.01**2, 0.03**2
    means = F.avg_pool2d(torch.cat([x, y, x * x, y * y, x * y]), WINDOW, 1).chunk(5)
    mx, my = means[:2]
    vx, vy, both = means[2] - mx * mx, means[3] - my * my, means[4] - mx * my
    return (2 * mx * my + c1) * (2 * both + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))


def code_distance(found: Codes, wanted: Codes) -> Tensor:
    """Mean squared difference of the codes, each in units of the wanted ones' variance, the mean over codes."""
    pairs = zip(found.named().values(), wanted.named().values(), strict=True)
    each = [(a - b).square().mean() / b.detach().var().clamp_min(1e-6) for a, b in pairs]
    return torch.stack(each).mean()


def map_adversary_loss(ensemble: AdversaryEnsemble, rest_map: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the adversaries that read the expression from the rest map; trains them alone."""
    return torch.stack([adversary_loss(logits, labels) for logits in ensemble(rest_map.detach())]).mean()


def discriminator_loss(
    discriminator: PatchDiscriminator, images: Tensor, labels: Tensor, swapped: Tensor, wanted: Tensor
) -> Tensor:
    """What a discriminator pays for taking a swap for real, or a real face for a swap; trains it alone.

    Args:
        discriminator: Itself.
        images: (B, 3, S, S) real faces.
        labels: (B,) their expressions.
        swapped: (B, 3, S, S) drawn faces; detached here.
        wanted: (B,) the expressions that they should show.

    Source: hinge loss, 1705.02894.
    """
    real, drawn = discriminator(images, labels), discriminator(swapped.detach(), wanted)
    return F.relu(1 - real).mean() + F.relu(1 + drawn).mean()


def _maps(model: Disentangler, images: Tensor) -> list[Tensor]:
    trunk, found = model.trunk, []
    maps = (images - trunk.mean) / trunk.std
    for stage in trunk.stages[:STAGES]:
        maps = stage(maps)
        found.append(maps)
    return found


def _with(codes: Codes, expressions: list[Tensor]) -> Codes:
    """All codes once for each of `expressions`, one after the other."""
    n = len(expressions)
    named = {name: code.repeat(n, 1) for name, code in codes.named().items()}
    return Codes.of(named | {"expression": torch.cat(expressions)})


def _as_constant(module: nn.Module) -> Callable[..., Tensor]:
    """`module` with its weights as they are and no gradient for them."""
    constants = {name: value.detach() for name, value in module.named_parameters()}
    return lambda *arguments: functional_call(module, constants, arguments)
