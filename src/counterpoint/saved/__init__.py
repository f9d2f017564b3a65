"""A saved model: one fit of a study, with everything that a prediction and a reader of it need, in one folder."""
