"""The candidates of the inquest: their settings and their trainings."""
