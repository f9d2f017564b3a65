"""Names next to points, where they cover no other point and no other name.  A name further off has a line to its point.

A name without a free place is left out.
"""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from counterpoint.report.drawing.palette import light
from counterpoint.safe_text import page_line

Box = tuple[float, float, float, float]
_CHARACTER_PX, _HEIGHT_PX, _REACH_PX, _FAR_PX = 5.7, 14.0, 9.0, 30.0


def draw_point_labels(
    axes: Axes, points: Sequence[tuple[float, float, str, bool]], *, lines: Sequence[Box] = ()
) -> list[str]:
    """Write the name of each point next to it, and return the names that were written.

    Parameters
    ----------
    axes
        *axes* have their final limits.
    points
        *points* are x, y, the name, and whether it is bold.  Bold names are placed first.  Names may be equal.
    lines
        *lines* are level or upright lines that no name crosses, each as two points: x, y, x, y.
    """
    whole = axes.get_window_extent()
    places = [tuple(axes.transData.transform((x, y)).tolist()) for x, y, _, _ in points]
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    for x, y, end_x, end_y in lines:
        (x0, y0), (x1, y1) = axes.transData.transform([(x, y), (end_x, end_y)])
        taken.append((min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1))
    written = []
    bold_first = sorted(zip(points, places, strict=True), key=lambda each: not each[0][3])
    for (_, _, name, is_bold), (point_x, point_y) in bold_first:
        label = page_line(name, most=30)
        width_px = _CHARACTER_PX * len(label) * (1.08 if is_bold else 1)
        for box, align in _candidates(point_x, point_y, width_px):
            is_inside = box[0] >= whole.x0 - 2 and box[2] <= whole.x1 + 6 and box[1] >= whole.y0 and box[3] <= whole.y1
            if is_inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                middle = (box[1] + box[3]) / 2
                anchor = box[0] if align == "left" else box[2] if align == "right" else (box[0] + box[2]) / 2
                x, y = axes.transData.inverted().transform((anchor, middle))
                if abs(middle - point_y) > _FAR_PX:
                    edge = middle + (_HEIGHT_PX / 2 if middle < point_y else -_HEIGHT_PX / 2)
                    ends = axes.transData.inverted().transform([(point_x, point_y), (point_x, edge)])
                    axes.plot(*ends.T, color=light("muted"), linewidth=0.7, zorder=0)
                axes.text(x, y, label, ha=align, va="center", size=11, color=light("ink"),
                          weight="bold" if is_bold else "normal")  # fmt: skip
                written.append(name)
                break
    return written


def _candidates(x: float, y: float, width_px: float) -> Iterator[tuple[Box, str]]:
    half = _HEIGHT_PX / 2
    for shift in (0.0, 11.0, -11.0):
        yield (x + _REACH_PX, y + shift - half, x + _REACH_PX + width_px, y + shift + half), "left"
        yield (x - _REACH_PX - width_px, y + shift - half, x - _REACH_PX, y + shift + half), "right"
    for shift in (14.0, -14.0):
        yield (x + 4, y + shift - half, x + 4 + width_px, y + shift + half), "left"
        yield (x - 4 - width_px, y + shift - half, x - 4, y + shift + half), "right"
    for shift in (16.0, -16.0, 28.0, -28.0, 44.0, -44.0, 60.0, -60.0):
        yield (x - width_px / 2, y + shift - half, x + width_px / 2, y + shift + half), "center"
        if abs(shift) > _FAR_PX:
            yield (x - 6, y + shift - half, x - 6 + width_px, y + shift + half), "left"
            yield (x + 6 - width_px, y + shift - half, x + 6, y + shift + half), "right"


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
