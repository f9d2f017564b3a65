"""The page of a study: from results and tables to one self-contained file and its figures."""

from counterpoint.report.page import write_page

__all__ = ["write_page"]
