"""Colours and marks of the page can be distinguished, and its text can be read."""

import pytest

from counterpoint.report.drawing.palette import PALETTE, modality_style

TEXTS = ("ink", "muted", "text", "image", "both", "warn", "fail")


def test_modalities_differ_in_shape_as_well_as_in_colour():
    styles = [modality_style(read) for read in (["text"], ["image"], ["text", "image"], [], None)]
    assert len({(style.marker, style.is_hollow) for style in styles}) == len(styles)
    assert len({style.label for style in styles}) == len(styles)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("background", ["paper", "panel"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_colour_of_text_stands_out_from_its_background(name, background, theme):
    assert contrast(PALETTE[name][theme], PALETTE[background][theme]) >= 4.5


def contrast(a, b):
    low, high = sorted(map(luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
