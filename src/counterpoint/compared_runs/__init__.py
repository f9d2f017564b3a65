"""Comparison of finished run folders: the settings that changed, and the effect on scores, answer and findings."""

from counterpoint.compared_runs.comparison import ComparedRuns, RunComparison, compare_runs

__all__ = ["ComparedRuns", "RunComparison", "compare_runs"]
