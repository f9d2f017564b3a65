"""Figures of panels fit their width, whatever the classes are named."""

import numpy as np
import pytest

from counterpoint.report.drawing.panels import WIDTH_PX, draw_confusion
from counterpoint.report.drawing.svg import drawing

NAMES = {
    "long": "clothing, shoes and accessories",
    "Arabic": "معدات رياضية للأطفال والكبار",
    "Chinese": "家用电器和厨房用品以及其他各种日常",
}


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_a_confusion_matrix_of_long_names_is_not_cut_off(name, n):
    with drawing():
        figure = draw_confusion(np.eye(n), [f"{number} {NAMES[name]}" for number in range(n)], colour="text")
    box = figure.axes[0].get_position()
    assert box.x1 * WIDTH_PX <= WIDTH_PX
    assert box.x0 * WIDTH_PX >= 112
