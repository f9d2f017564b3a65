"""Linear probes: logistic regression on vectors that a frozen model or a formula makes of a text or an image."""
