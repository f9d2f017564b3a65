"""Curves and fronts of the leading contenders, one module for each figure.  `section` puts them together."""
