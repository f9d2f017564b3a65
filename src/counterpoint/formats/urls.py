"""The host of a URL, as a polars expression over a column of them."""

import polars as pl


def host_of(url: pl.Expr) -> pl.Expr:
    """Return the host of each URL in lower case, null where there is none.

    >>> urls = pl.DataFrame({"url": ["https://Me:pw@Example.org:80/a.jpg", "a.jpg", None]})
    >>> urls.select(host_of(pl.col("url")))["url"].to_list()
    ['example.org', None, None]
    """
    return url.str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)").str.to_lowercase()
