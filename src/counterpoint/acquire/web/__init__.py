"""The one way to the network: allowed requests, their number at once, their limits, and the result of each."""
