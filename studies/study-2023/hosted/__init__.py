"""The hosted list of the published chain: its texts and stand-in pictures, a server, and what the chain made."""
