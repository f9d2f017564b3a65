"""The first screen: the question, the answer in plain words, its doubt, its cost and the next step."""
