"""The findings of the checks with their evidence, and the reporting checklist."""
