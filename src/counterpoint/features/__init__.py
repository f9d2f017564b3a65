"""What models see of a pair: decoded pixels, hashes, tokens, embeddings."""
