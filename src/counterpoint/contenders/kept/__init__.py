"""Fits that are kept without pickle: the state of a contender, its files, and its parts of scikit-learn."""
