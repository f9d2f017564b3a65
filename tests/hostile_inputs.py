"""Inputs that a stranger may send to the URL guard, the header reader and the decoder, and what must hold for each.

`TARGETS` pairs a strategy with a check; a check returns the outcome in one word, or raises when something is wrong.
"""

import re
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import numpy as np
from hypothesis import strategies as st

from counterpoint.acquire.keep import KEEPERS, keep
from counterpoint.acquire.statuses import OK, STATUSES
from counterpoint.acquire.web.curl import Transfer
from counterpoint.acquire.web.guard import check_url, denied
from counterpoint.acquire.web.optout import Robots, opts_out
from counterpoint.acquire.web.urls import Target, shown
from counterpoint.config.acquire import Guard
from counterpoint.errors import ImageError
from counterpoint.features.decode import REASONS, Limits, decode_picture, header
from hostile_bytes import ARBITRARY, mutated_images
from hostile_folders import TREES, check_of_folder
from hostile_kinds import KINDS
    "tar": Fuzzed(TARS, check_of_tar),
    "folder": Fuzzed(TREES, check_of_folder),
