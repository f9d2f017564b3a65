"""The page of a sweep and its sentences, in the style of the page of a study."""

from counterpoint.report.sweep.page import write_sweep_page
from counterpoint.report.sweep.points import GAP, short_key
from counterpoint.report.sweep.swept import Learned, Swept

__all__ = ["GAP", "Learned", "Swept", "short_key", "write_sweep_page"]
