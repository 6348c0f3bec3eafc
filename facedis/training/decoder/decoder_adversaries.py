"""Adversaries of a post-hoc decoder: classifiers on the spatial rest code, and a discriminator of generated faces."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from facedis.config import DecoderConfig, ModelConfig
from facedis.model.losses.image_losses import hinge_loss
from facedis.model.losses.objective import adversary_loss
from facedis.model.network.adversaries import AdversaryEnsemble
from facedis.model.network.discriminator import PatchDiscriminator


class DecoderAdversaries(nn.Module):
    """The adversaries that the weights of the decoder's losses require; each may be None.

    Args:
        model: Size of the spatial rest code, kinds of its adversaries.
        config: Weights of the losses.
        classes: K.
    """

    def __init__(self, model: ModelConfig, config: DecoderConfig, classes: int) -> None:
        super().__init__()
        size = model.spatial_rest_channels * model.spatial_rest_size**2
        self.map_adversary = AdversaryEnsemble(size, classes, model) if size and config.map_confusion_weight else None
        self.discriminator = PatchDiscriminator(classes) if config.gan_weight else None


class AdversaryWrapper(nn.Module):
    """An adversary with its loss as the forward pass, as Fabric requires.

    Each adversary is wrapped separately: with several processes, Fabric waits for the gradients of all parameters of
    a wrapper, and the discriminator has none during the warm-up.

    Args:
        adversary: The adversary.
        loss: Called with the adversary and the arguments of the forward pass.
    """

    def __init__(self, adversary: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.adversary, self.loss = adversary, loss

    def forward(self, *inputs: Tensor) -> Tensor:
        """The loss, a scalar."""
        return self.loss(self.adversary, *inputs)


def map_adversary_loss(ensemble: AdversaryEnsemble, spatial_rest: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the adversaries of the spatial rest code; trains only them.

    Args:
        ensemble: The adversaries.
        spatial_rest: (B, M * P * P) spatial rest codes; detached here.
        labels: (B,) expressions.
    """
    return torch.stack([adversary_loss(logits, labels) for logits in ensemble(spatial_rest.detach())]).mean()


def discriminator_loss(
    discriminator: PatchDiscriminator, images: Tensor, labels: Tensor, swapped: Tensor, swapped_labels: Tensor
) -> Tensor:
    """Hinge loss of the discriminator; trains only it.

    Args:
        discriminator: The discriminator.
        images: (B, 3, S, S) real faces.
        labels: (B,) their expressions.
        swapped: (B, 3, S, S) generated faces; detached here.
        swapped_labels: (B,) expressions of their donors.
    """
    return hinge_loss(discriminator(images, labels), discriminator(swapped.detach(), swapped_labels))


#: By the name of the adversary in `DecoderAdversaries`.
ADVERSARY_LOSSES: dict[str, Callable[..., Tensor]] = {
    "map_adversary": map_adversary_loss,
    "discriminator": discriminator_loss,
}
