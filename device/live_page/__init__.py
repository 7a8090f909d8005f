"""The page of a run in the browser: label, probabilities, timeline, signals, and how sensor and loop are."""

from .access import Access as Access
from .address import ListenAddress as ListenAddress, parse_listen as parse_listen
from .stored_secret import read_or_make_secret as read_or_make_secret
