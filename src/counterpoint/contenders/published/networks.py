"""The networks of the 2023 study, layer for layer as published.  Each choice that may matter is an argument."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from counterpoint.contenders.published.last_state import LastState

Activation = Literal["relu", "softmax"]


def initialised(network: nn.Module) -> nn.Module:
    """Return *network* with the initial weights of Keras, the library of the study.

    Kernels are Glorot uniform.  Recurrent kernels are orthogonal, with all four gates as one matrix.  Biases are 0, and
    1 for the forget gates of the LSTM.  Embeddings are uniform within ±.05.

    >>> lstm = initialised(LastState(9, embed=4, hidden=3)).lstm
    >>> (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    for name, weights in network.named_parameters():
        if "embed" in name:
            nn.init.uniform_(weights, -0.05, 0.05)
        elif "weight_hh" in name:
            nn.init.orthogonal_(weights)
        elif weights.dim() > 1:
            nn.init.xavier_uniform_(weights)
        else:
            nn.init.zeros_(weights)
            if "bias_ih" in name:  # gates in torch's order: entry, forget, candidate, out
                weights.detach().chunk(4)[1].fill_(1)
    return network


def activation(name: Activation) -> nn.Module:
    """Return the activation with this *name*; "softmax" is over channels or units, which in Keras are the last axis.

    >>> activation("softmax")(torch.zeros(1, 4)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return nn.ReLU() if name == "relu" else Softmax(dim=1)


class Softmax(nn.Softmax):
    """Softmax over channels or units, computed in the layout in which they are contiguous."""

    def forward(self, input: Float[Tensor, "batch channel *places"]) -> Float[Tensor, "batch channel *places"]:  # noqa: A002  # torch's name
        """Return the softmax of *input* over its second axis."""
        result: Tensor = input.movedim(1, -1).softmax(-1).movedim(-1, 1)
        return result


class Convolutions(nn.Module):
    """Two convolutions, each with an activation and a pool, then dense layers: the image networks of the 2023 study.

    Parameters
    ----------
    n_channels, side_px
        *n_channels* and *side_px* are the size of the images.
    kernel, padding
        *kernel* and *padding* are the same in both convolutions.
    dense, dropouts
        *dense* are the widths of the dense layers, and *dropouts* the dropout behind each.
    hidden
        *hidden* is the activation of every hidden layer.
    divide_by
        *divide_by* is the divisor of the pixels.

    Examples
    --------
    >>> encoder = Convolutions(1, 64, dense=(1024,), dropouts=(0.9,))
    >>> encoder.n_flat, encoder.width
    (16384, 1024)
    >>> encoder(torch.zeros(2, 1, 64, 64, dtype=torch.uint8), torch.tensor([True, True])).shape
    torch.Size([2, 1024])
    """

    def __init__(
        self,
        n_channels: int,
        side_px: int,
        *,
        kernel: int = 5,
        padding: int = 2,
        dense: Sequence[int] = (1024,),
        dropouts: Sequence[float] = (0.9,),
        hidden: Activation = "relu",
        divide_by: int = 255,
    ) -> None:
        super().__init__()
        self.divide_by = divide_by
        self.convolutions = nn.Sequential(
            nn.Conv2d(n_channels, 32, kernel, padding=padding), activation(hidden), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel, padding=padding), activation(hidden), nn.MaxPool2d(2),
            nn.Flatten(),
        )  # fmt: skip
        now_px = side_px
        for _ in range(2):
            now_px = (now_px + 2 * padding - kernel + 1) // 2
        self.n_flat = 64 * now_px**2
        layers: list[nn.Module] = []
        widths = [self.n_flat, *dense]
        for inputs, outputs, dropout in zip(widths, dense, dropouts, strict=False):
            layers += [nn.Linear(inputs, outputs), activation(hidden), nn.Dropout(dropout)]
        self.dense = nn.Sequential(*layers)
        self.width = widths[-1]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the faster layout on a CPU

    def forward(
        self, pixels: UInt8[Tensor, "batch channel height width"], has_image: Bool[Tensor, " batch"]
    ) -> Float[Tensor, "batch features"]:
        """Return one vector for each image, and the zero vector for a missing image."""
        x = (pixels.float() / self.divide_by).contiguous(memory_format=torch.channels_last)
        vector: Tensor = self.dense(self.convolutions(x))
        return vector * has_image.unsqueeze(1)


class Head(nn.Module):
    """One encoder, or two with concatenated vectors, and a linear layer.  Its only output is the prediction.

    The softmax of the published output layer is part of the loss: cross entropy takes logits.

    Examples
    --------
    >>> network = Head(LastState(9, hidden=3), n_classes=2)
    >>> network(tokens=torch.tensor([[2, 5, 0]])).shape
    torch.Size([1, 1, 2])
    """

    def __init__(self, text: LastState | None = None, image: Convolutions | None = None, *, n_classes: int) -> None:
        super().__init__()
        self.text, self.image = text, image
        self.out = nn.Linear(sum(encoder.width for encoder in (text, image) if encoder is not None), n_classes)

    def forward(
        self,
        tokens: Int[Tensor, "batch time"] | None = None,
        pixels: UInt8[Tensor, "batch channel height width"] | None = None,
        has_image: Bool[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch 1 classes"]:
        """Return the logits of each pair.

        Parameters
        ----------
        tokens
            *tokens* are word ids, where the network reads texts.
        pixels, has_image
            *pixels* are images, and *has_image* is False where one is missing, where the network reads images.
        """
        vectors = [self.text(tokens)] if self.text is not None else []
        vectors += [self.image(pixels, has_image)] if self.image is not None else []
        logits: Tensor = self.out(torch.cat(vectors, dim=1))  # (batch, classes)
        return logits.unsqueeze(1)

    def vectors_and_terms(
        self,
        tokens: Int[Tensor, "batch time"],
        pixels: UInt8[Tensor, "batch channel height width"],
        has_image: Bool[Tensor, " batch"],
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return the vector and the terms of text and of image: each modality's part of the logits of the linear head.

        Parameters
        ----------
        tokens
            *tokens* are word ids.
        pixels, has_image
            *pixels* are images, and *has_image* is False where one is missing.

        Returns
        -------
        For text and for image: vectors, shape (batch, width), and terms, shape (batch, classes).
        """
        assert self.text is not None
        assert self.image is not None
        vectors = self.text(tokens), self.image(pixels, has_image)
        weights = self.out.weight[:, : self.text.width], self.out.weight[:, self.text.width :]
        text, image = (nn.functional.linear(vectors[i], weights[i]) for i in (0, 1))
        return (vectors[0], text), (vectors[1], image)

    def decide(self, text: Float[Tensor, "batch classes"], image: Float[Tensor, "batch classes"]) -> Tensor:
        """Return the sum of the terms and a bias: this network is its own additive projection."""
        return text + image + self.out.bias
