"""Which rows of a list are fetched, before any network: inputs opened, rules applied, caps kept."""
