"""Frozen models from texts and images to vectors: from packages, a hub, a file, or made by the user."""
