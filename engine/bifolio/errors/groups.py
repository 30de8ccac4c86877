"""Errors about groups and tags."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class GroupNotFoundError(BifolioError):
    """No group has this name, path or id."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__(
            f"No group is called '{group}'.",
            next_step="See them all with 'bifolio group list', the deleted ones with --trash.",
        )


class AmbiguousGroupError(BifolioError):
    """Several groups have this name or path, or an id that begins so."""

    def __init__(self, group: str, *, candidates: tuple[str, ...]) -> None:
        self.group = group
        self.candidates = candidates
        super().__init__(
            f"'{group}' fits several groups: {', '.join(candidates)}.",
            next_step="Give the group's path, or its id.",
        )


class GroupPlaceError(BifolioError):
    """A group was to be moved where it cannot stand."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{reason}. Nothing was changed.",
            next_step="See how the groups stand with 'bifolio group list'.",
        )


class SmartGroupError(BifolioError):
    """What only a group filled by hand can do, or only a smart one."""

    def __init__(self, name: str, *, smart: bool) -> None:
        self.name = name
        self.smart = smart
        if smart:
            super().__init__(
                f"'{name}' holds what its query finds; nothing can be put in or taken out.",
                next_step=f"Change the query with 'bifolio group edit {name} --query Q', or make "
                "a group without one.",
            )
        else:
            super().__init__(
                f"'{name}' is filled by hand and has no query. Nothing was changed.",
                next_step="Make a smart group with 'bifolio group create NAME --query Q'.",
            )


class TagNotFoundError(BifolioError):
    """No live reference has this tag."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        super().__init__(
            f"No reference has the tag '{tag}'.",
            next_step="See them all with 'bifolio tag list'.",
        )
