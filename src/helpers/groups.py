"""Groups of services that failed together: which single services the id of a group is made of."""

from collections.abc import Collection, Iterable


def members(groups: Iterable[str], single: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the members of those groups whose whole id is made of ids of single services.

    Parameters
    ----------
    groups, single : iterable and collection of str
        Ids of groups, "facebook-instagram-whatsapp", and of single services.
    """
    made = {group: _split(group.split("-"), single) for group in groups}
    return {group: parts for group, parts in made.items() if len(parts) > 1}


def _split(words: list[str], known: Collection[str]) -> tuple[str, ...]:
    """Read joined words as ids, the longest first; nothing where some words are no id."""
    for n in range(len(words), 0, -1):
        if "-".join(words[:n]) in known:
            rest = _split(words[n:], known)
            if n == len(words) or rest:
                return ("-".join(words[:n]), *rest)
    return ()
