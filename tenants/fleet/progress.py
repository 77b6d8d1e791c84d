"""How far it has come: a bar on a terminal, now and then a line elsewhere."""

from django.core.management.base import OutputWrapper

from tenants.fleet.upgrading import Outcome

_WIDTH = 30
_EVERY = 100  # hospitals to a line


class Progress:
    """Counts the hospitals that are settled."""

    def __init__(self, out: OutputWrapper, *, total: int) -> None:
        self.out = out
        self.total = total
        self.settled = 0
        self.refused = 0

    def tell(self, outcome: Outcome) -> None:
        """Count one more."""
        self.settled += 1
        self.refused += bool(outcome.error)
        count = f"{self.settled:,} of {self.total:,} hospitals" + (f", {self.refused:,} refused" * bool(self.refused))
        is_last = self.settled == self.total
        if self.out.isatty():
            bar = "#" * (_WIDTH * self.settled // self.total)
            self.out.write(f"\r[{bar:.<{_WIDTH}}] {count}", ending="\n" if is_last else "")
            self.out.flush()
        elif is_last or self.settled % _EVERY == 0:
            self.out.write(count)
