"""How fits are kept without pickle: the state of a contender, its files, and what scikit-learn's parts become."""
