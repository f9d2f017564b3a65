"""The inputs that models read of a pair: decoded pixels, hashes, tokens, embeddings."""
