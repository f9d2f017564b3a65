"""From a source to pairs in folds, by the stages clean, label, align, group and split."""

# Loading a module of this folder sets its name here.  The functions must be bound last, or a later load hides them.
import counterpoint.data.generate
import counterpoint.data.split  # noqa: F401
from counterpoint.data.generate import generate
from counterpoint.data.read import read_pairs, split

__all__ = ["generate", "read_pairs", "split"]
