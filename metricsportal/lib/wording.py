"""Text of others on its way into headers of mails."""


def one_line(text: str) -> str:
    """Text for a header: what is no printable character becomes a space, so that nothing begins a new header."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
