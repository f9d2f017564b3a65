"""Properties of images as expressions over the facts of `features.image_facts`: of the file, and of the appearance."""

from collections.abc import Mapping

import polars as pl

FORMAT = "image_format"
PLAIN = 0.01
"""The largest spread of a plain border, as a share of white."""
_IS_PLAIN = pl.col("image_border_spread") <= PLAIN
_N_PIXELS = pl.col("width_px") * pl.col("height_px")

FILE: Mapping[str, pl.Expr] = {
    "format": pl.col(FORMAT),
    "JPEG quality": pl.col("image_quality"),
    "plain border": _IS_PLAIN,
    "red of a plain border": pl.when(_IS_PLAIN).then("image_border_red"),
    "green of a plain border": pl.when(_IS_PLAIN).then("image_border_green"),
    "blue of a plain border": pl.when(_IS_PLAIN).then("image_border_blue"),
}
"""The facts of the file and of its border, which are no content."""
APPEARANCE: Mapping[str, pl.Expr] = {
    "brightness": pl.col("image_brightness"),
    "contrast": pl.col("image_contrast"),
    "sharpness": pl.col("image_sharpness"),
    "red against blue": pl.col("image_red") - pl.col("image_blue"),
    "green against red and blue": pl.col("image_green") - (pl.col("image_red") + pl.col("image_blue")) / 2,
    "saturation": pl.col("image_saturation"),
    "bytes per pixel": pl.col("image_bytes") / _N_PIXELS,
}
"""The facts of the appearance, which also depend on the content."""
