"""Modules that classify: one encoder alone, or a text and an image encoder together.

Every network returns logits of shape (batch, outputs, classes).  Output 0 is the prediction.  The others are the logits
of the branches alone.
"""

from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from counterpoint.networks.encoders import PAD, ImageEncoder, TextEncoder


@runtime_checkable
class Fusion(Protocol):
    """A network of two encoders with a head that can run alone, on the terms of a text and the terms of an image."""

    def vectors_and_terms(self, **inputs: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return vectors, shape (batch, width), and terms, shape (batch, any), for text and for image."""

    def decide(self, text: Tensor, image: Tensor) -> Tensor:
        """Return the logits, shape (batch, classes), of terms of texts and terms of images."""


class Solo(nn.Module):
    """One encoder and a linear layer.

    Examples
    --------
    >>> network = Solo(TextEncoder(10), n_classes=3)
    >>> network(tokens=torch.tensor([[2, 5, 0], [3, 0, 0]])).shape
    torch.Size([2, 1, 3])
    """

    def __init__(self, encoder: TextEncoder | ImageEncoder, *, n_classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(encoder.width, n_classes))

    def forward(self, **inputs: Tensor) -> Float[Tensor, "batch 1 classes"]:
        """Return the logits of the *inputs* of the encoder."""
        logits: Tensor = self.head(self.encoder(**inputs))  # (batch, classes)
        return logits.unsqueeze(1)


class Concatenation(nn.Module):
    """Concatenated text and image vectors: the prediction is the sum of the logits of each branch and of a joint part.

    The joint part starts at zero.  So the prediction of two trained branches starts as the product of their
    probabilities.  In training, one modality of a share of the pairs is hidden from the joint part (Neverova et al.
    2016, ModDrop).  So the joint part does not depend on one modality alone, and works where one is missing.

    Parameters
    ----------
    text, image
        *text* and *image* are networks of one modality, trained or not.
    n_classes
        *n_classes* is the number of classes.
    hidden
        *hidden* is the width of the joint layer.
    hide
        *hide* is the share of pairs with a hidden modality in training.
    """

    def __init__(
        self, text: Solo, image: Solo, *, n_classes: int, hidden: int = 64, dropout: float = 0.2, hide: float = 0.2
    ) -> None:
        super().__init__()
        self.text, self.image, self.hide = text, image, hide
        widths = text.encoder.width, image.encoder.width
        # Each modality has its own normalisation: a hidden one must not change the other.
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.joint = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(sum(widths), hidden), nn.ReLU(), nn.Linear(hidden, n_classes)
        )
        nn.init.zeros_(self.joint[-1].weight)  # type: ignore[arg-type]

    def forward(
        self,
        tokens: Int[Tensor, "batch time"],
        pixels: UInt8[Tensor, "batch channel height width"],
        has_image: Bool[Tensor, " batch"],
    ) -> Float[Tensor, "batch 3 classes"]:
        """Return the logits of the prediction, of the text alone and of the image alone.

        Parameters
        ----------
        tokens
            *tokens* are word ids.
        pixels, has_image
            *pixels* are images, and *has_image* is False where one is missing.
        """
        vectors = self.text.encoder(tokens), self.image.encoder(pixels, has_image)
        alone = self.text.head(vectors[0]), self.image.head(vectors[1])  # each (batch, classes)
        seen = torch.stack([(tokens != PAD).any(1), has_image], dim=1)  # (batch, 2)
        if self.training:
            seen = seen & ~self._hidden(len(tokens)).to(seen.device)
        normal = [norm(vector) for norm, vector in zip(self.norms, vectors, strict=True)]
        read = torch.cat([vector * seen[:, i : i + 1] for i, vector in enumerate(normal)], dim=1)
        prediction = self.joint(read) + sum(logits * seen[:, i : i + 1] for i, logits in enumerate(alone))
        return torch.stack([prediction, *alone], dim=1)

    def vectors_and_terms(
        self,
        tokens: Int[Tensor, "batch time"],
        pixels: UInt8[Tensor, "batch channel height width"],
        has_image: Bool[Tensor, " batch"],
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return vectors and terms of text and image: the part in the joint layer, and the logits of the branch.

        Parameters
        ----------
        tokens
            *tokens* are word ids.
        pixels, has_image
            *pixels* are images, and *has_image* is False where one is missing.

        Returns
        -------
        For text and for image: vectors, shape (batch, width), and terms, shape (batch, hidden + classes).
        """
        seen = (tokens != PAD).any(1, keepdim=True), has_image.unsqueeze(1)
        vectors = self.text.encoder(tokens), self.image.encoder(pixels, has_image)
        alone = self.text.head(vectors[0]), self.image.head(vectors[1])
        normal = [norm(vector) for norm, vector in zip(self.norms, vectors, strict=True)]
        first, width = self._first, vectors[0].shape[1]
        weights = first.weight[:, :width], first.weight[:, width:]
        text, image = (
            torch.cat([functional.linear(normal[i] * seen[i], weights[i]), alone[i] * seen[i]], dim=1) for i in (0, 1)
        )
        return (vectors[0], text), (vectors[1], image)

    def decide(self, text: Float[Tensor, "batch terms"], image: Float[Tensor, "batch terms"]) -> Tensor:
        """Return the logits of the prediction, as `forward` in evaluation, from the terms of `vectors_and_terms`."""
        first, both = self._first, text + image
        joint, alone = both[:, : first.out_features], both[:, first.out_features :]
        logits: Tensor = self.joint[2:](joint + first.bias) + alone
        return logits

    @property
    def _first(self) -> nn.Linear:
        return cast(nn.Linear, self.joint[1])

    def _hidden(self, n_pairs: int) -> Bool[Tensor, "batch 2"]:
        """Return a mask of hidden modalities, at most one in a pair."""
        draw = torch.rand(n_pairs, 1)  # on the CPU: the same pairs on every device
        return torch.cat([draw < self.hide / 2, draw > 1 - self.hide / 2], dim=1)
