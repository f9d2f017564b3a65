"""Values of evidence as the text of a table's cell."""

from counterpoint import number_formats as numbers
from counterpoint.safe_text import page_line


def cell(value: object, *, most: int = 80) -> str:
    """Return a value of evidence as text, of whatever kind it is: a score, a count, a name, a list of names.

    >>> cell(0.12345), cell(12314), cell(None), cell(["a", 2]), cell({"text": 0.5}), cell(2.5e-05), cell(256.0)
    ('0.123', '12,314', '–', 'a, 2', 'text 0.500', '2.5e-05', '256')
    """
    if value is None or value == []:
        return numbers.NOTHING
    if isinstance(value, list):
        return page_line(", ".join(cell(item) for item in value), most=most)
    if isinstance(value, dict):
        return page_line(", ".join(f"{name} {cell(item)}" for name, item in value.items()), most=most)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return numbers.number(value)
    return page_line(value, most=most)
