"""Data of a page for its script: JSON in an element that no browser runs, whatever the data contain."""

import json
import re
from typing import Any

from markupsafe import Markup

# Marks that could end the element, turn a line around, or be lost on the way through a mail program.
_SPELLED = re.compile("[<>&\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff]")


def script_data(data: Any) -> Markup:
    r"""Return *data* as JSON that may stand in a ``<script type="application/json">`` element.

    >>> print(script_data({"text": "</script><b>é"}))
    {"text":"\u003c/script\u003e\u003cb\u003eé"}
    """
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(_SPELLED.sub(lambda found: f"\\u{ord(found[0]):04x}", plain))
