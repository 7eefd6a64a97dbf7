"""From one view's maps and embedding to per-pixel probabilities over background and the present classes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.networks.classifier import Output, distribution, relative_maps
from matlabel.networks.confidence import confident_regions
from matlabel.networks.trained_classifier import Classifier
from matlabel.settings.activations import ActivationsSettings

# Of a class where no class has any: there they share alike.
LEAST_SHARE = 1e-3


def from_maps(output: Output, labels: list[int], gamma: float) -> Tensor:
    """A ∝ [(1 − max M)^γ, M_c] of one image: float32[C + 1, h, w].

    Args:
        output: of a batch of one.
        labels: class indices 0..K-1 that are present, ascending.
        gamma: larger takes more from the background.
    """
    tags = torch.zeros(1, output.maps.shape[1], device=output.maps.device)
    tags[:, labels] = 1
    return distribution(relative_maps(output.maps, tags)[0, labels], gamma)


def from_embedding(output: Output, classifier: Classifier, labels: list[int], settings: ActivationsSettings) -> Tensor:
    """Probabilities of one image from its embedding's similarity to the centres: float32[C + 1, h, w], see `decoupled`.

    s_c = ½ [cos(Z, centre_c) + cos(Z, the image's own prototype of c)] (the centre alone where the image has no
    confident region of c), s_0 = max(cos to the background centres, cos to the image's own background) + margin.
    """
    maps = output.maps[:, labels]
    # Cosines in float32: half precision would round them.
    with torch.autocast(maps.device.type, enabled=False):
        relative = relative_maps(maps, torch.ones(1, len(labels), device=maps.device))
        regions = confident_regions(relative, output.embedding.float(), torch.ones(1, len(labels), device=maps.device))
        embedding = output.embedding[0].float()
        own = dict(zip(regions.label.tolist(), regions.prototypes(), strict=True))
        scores = []
        for position, label in enumerate(labels):
            ways = [classifier.centres[label]] if classifier.known[label] else []
            ways += [own[position]] if position in own else []
            if not ways:
                # Nothing speaks for the class: its map has to.
                scores.append(2 * relative[0, position] - 1)
                continue
            scores.append(torch.stack([torch.einsum("d,dhw->hw", way, embedding) for way in ways]).mean(0))
        behind, there = regions.background_prototypes()
        backgrounds = torch.cat([classifier.background, behind[there]])
        if len(backgrounds):
            background = torch.einsum("nd,dhw->nhw", backgrounds, embedding).amax(0)
        else:
            background = 1 - 2 * relative[0].amax(0)
        similar = torch.stack([background + settings.margin, *scores]) / settings.temperature
        return decoupled(similar, None if classifier.parts_classes else relative[0])


def decoupled(similar: Tensor, shares: Tensor | None) -> Tensor:
    """Cosine similarities to probabilities over background and classes.

    An embedding that was trained with the term category parts the classes as well: softmax(s). One that was not parts
    object from background alone, and where classes always come together its centres of them are all but the same. So
    its word is A_0 = softmax(s_0, max_c s_c), and A_c = (1 − A_0) of `shares`.

    Args:
        similar: s / τ, float32[C + 1, h, w], background first.
        shares: what parts the classes in its place, float32[C, h, w], non-negative; None: the embedding does.

    Returns:
        float32[C + 1, h, w], summing to one.
    """
    if shares is None or len(shares) == 1:
        return F.softmax(similar, 0)
    two = F.softmax(torch.stack([similar[0], similar[1:].amax(0)]), 0)
    shares = shares.clamp_min(LEAST_SHARE)
    return torch.cat([two[:1], two[1:] * shares / shares.sum(0, keepdim=True)])


def combine(ways: list[Tensor]) -> Tensor:
    """Normalised geometric mean of distributions float32[C + 1, h, w]."""
    if len(ways) == 1:
        return ways[0]
    product = torch.stack(ways).clamp_min(1e-6).log().mean(0).exp()
    return product / product.sum(0, keepdim=True)
