"""What people type, as it is kept."""


def one_line(text: str) -> str:
    """Without line breaks, tabs and doubled spaces: for names, which end up in subjects and titles."""
    return " ".join(text.split())
