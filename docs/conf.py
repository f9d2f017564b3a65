"""How the documentation is built: Sphinx, Furo, MyST.  `tables.py` writes the tables of settings."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from counterpoint import __version__
from live_example import write_example

project = "Counterpoint"
author = "The Counterpoint authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Counterpoint {release}"
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"


def setup(app: Any) -> None:
    """Make the page of the live example after the pages of the documentation."""
    app.connect("build-finished", _add_example)


def _add_example(app: Any, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        write_example(Path(app.outdir))
