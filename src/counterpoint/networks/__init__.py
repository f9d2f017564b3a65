"""Torch modules: encoders of one modality, and fusions of them.  Do not train: skorch does, in ``contenders``."""
