"""Studies of vectors, cut to a third, for the benchmark of the curves of size.  Import it before numpy."""

import injection

assert injection.THREADS
