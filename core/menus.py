"""Links that stand together: a bar, a menu, tabs, chips."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One of several links; `current` when the page shown belongs to it, `count` what waits behind it."""

    label: str
    url: str
    icon: str
    current: bool
    count: int | None = None
