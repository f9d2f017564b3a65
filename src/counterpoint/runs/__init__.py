"""The run folder of a study, and the records in it."""
