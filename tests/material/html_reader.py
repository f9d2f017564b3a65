"""A reader of pages that fails on unbalanced tags, and texts that attack a page."""

from html.parser import HTMLParser

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg></style></script><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    r"$\frac{$ _^ \bad",
    "\u202etxt.exe\x00\x1b[2J",
    "<!-- ]]> &amp; &#60;",
)


class Reader(HTMLParser):
    """Gathers elements, and fails on an end tag that closes nothing."""

    void = ("meta", "img", "input", "br")

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def check_whole(page):
    """Check that every element of a page is closed, and that every link leads to one of them."""
    read = Reader(page.read_text(encoding="utf-8"))
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert read.open == []
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for _, attrs in read.elements if "href" in attrs} <= set(ids)
