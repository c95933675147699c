"""Every kind of mail: what it is called, when it is sent, what it looks like, whether it can be switched off.

One registry: staff's pages list it, filters and tests go through it. A kind of mail about orders is here by
being in `order_mails.KINDS`; any other registers itself with `register`, at best beside what renders it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from notifications.messages import Rendered

# Makes the mail in the given language, from data that nobody has. Reads the database at most.
type Sample = Callable[[str], Rendered]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail. `samples` are its shapes by name, such as one for a part and one for all.

    `is_needed`: about an order or an account, so it goes to addresses that called another mail spam, too.
    `can_be_off`: staff may switch it off. `is_optional`: sent because its reader wished so, and therefore
    with List-Unsubscribe.
    """

    name: str
    title: str
    when: str
    samples: Mapping[str, Sample]
    is_needed: bool = False
    can_be_off: bool = True
    is_optional: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Have it known; a second one of the name takes the first one's place."""
    _kinds[kind.name] = kind
    return kind


def every() -> list[Kind]:
    """All of them, in the order of their registration."""
    return list(_kinds.values())


def named(name: str) -> Kind:
    """The kind; one that nobody registered, such as an older release's, is sent like any other and has no
    samples."""
    return _kinds.get(name) or Kind(name, name, "", {})
