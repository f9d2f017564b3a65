"""The sections about pairs: where rows went, classes, examples, disagreements, and the map."""
