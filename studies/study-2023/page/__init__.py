"""The page of the study: its templates, its figures, and the readers of the results of all runs."""
