"""The room of the page: tables and results in, one self-contained file and its figures out."""

from counterpoint.report.page import write_page

__all__ = ["write_page"]
