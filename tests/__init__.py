"""Tests, in folders that mirror src; what they share is in material."""
