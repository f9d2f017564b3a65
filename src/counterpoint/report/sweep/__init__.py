"""The page of a sweep, and the sentences that say what it shows; shares its look with the page of a study."""

from counterpoint.report.sweep.material import GAP, Learned, Swept, short
from counterpoint.report.sweep.page import write_sweep_page
from counterpoint.report.sweep.sentences import sentences

__all__ = ["GAP", "Learned", "Swept", "sentences", "short", "write_sweep_page"]
