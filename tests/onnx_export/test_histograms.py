"""The histograms of a graph are those of scikit-image."""

import numpy as np
import onnxruntime
import pytest

from counterpoint.onnx_export.graph import Graph, Port
from counterpoint.onnx_export.histograms import histograms

feature = pytest.importorskip("skimage.feature")


@pytest.mark.parametrize("orientations", [2, 4, 9, 12, 36])
@pytest.mark.parametrize(("side_px", "cell_px"), [(16, 8), (20, 5), (33, 7)])
def test_the_histograms_are_those_of_scikit_image(orientations, side_px, cell_px):
    rng = np.random.default_rng(0)
    steps = rng.integers(0, 3, (4, side_px, side_px)) * 100  # many gradients on the border of two bins
    images = np.concatenate([steps, rng.integers(0, 256, (4, side_px, side_px)), np.zeros((1, side_px, side_px))])
    graph = Graph()
    pixels = graph.input("pixels", Port("uint8", ("batch", 1, side_px, side_px)))
    value = histograms(graph, pixels, side_px=side_px, cell_px=cell_px, orientations=orientations)
    model = graph.finished({"vectors": (value, Port("float", ("batch", "width")))})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"pixels": images[:, None].astype(np.uint8)})
    settings = {"pixels_per_cell": (cell_px, cell_px), "cells_per_block": (2, 2), "orientations": orientations}
    expected = [feature.hog(image.astype(np.uint8), **settings) for image in images]
    np.testing.assert_allclose(found, expected, atol=1e-6)
