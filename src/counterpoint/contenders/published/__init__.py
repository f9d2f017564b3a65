"""The models of the 2023 study as published, each questioned choice a setting that can be changed alone."""
