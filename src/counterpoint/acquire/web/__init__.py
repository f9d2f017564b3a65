"""The one way to the network: what may be asked for, how many at once, within which limits, and how each ends."""
