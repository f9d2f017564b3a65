"""Figures and thumbnails: how they are drawn, saved and coloured."""
