"""The sections about contenders: layers, learning, confusions, mistakes, and words."""
