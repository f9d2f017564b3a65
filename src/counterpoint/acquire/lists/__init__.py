"""The selection of the rows to fetch, without any network: open inputs, apply rules, apply caps."""
