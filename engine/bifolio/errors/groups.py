"""Errors about groups and tags."""

from __future__ import annotations

from bifolio.errors.base import BifolioError

#: References that one sentence names.
_NAMED_MAX = 5


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

    def __init__(self, group: str, *, candidates: tuple[str, ...], one_path: bool = False) -> None:
        """``one_path``: a path tells some of them apart no more than the name does."""
        self.group = group
        self.candidates = candidates
        super().__init__(
            f"'{group}' fits several groups: {', '.join(candidates)}.",
            next_step="Give the group's id." if one_path else "Give the group's path, or its id.",
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


class NotInGroupError(BifolioError):
    """None of the references that were to be taken out of a group is in it."""

    def __init__(self, group: str, *, keys: tuple[str, ...]) -> None:
        self.group = group
        self.keys = keys
        who = f"{keys[0]} is not" if len(keys) == 1 else f"None of {_named(keys)} is"
        super().__init__(
            f"{who} in the group '{group}'. Nothing was changed.",
            next_step=f"'bifolio list --group \"{group}\"' names those that are.",
        )


class NotTaggedError(BifolioError):
    """None of the references that a tag was to be taken off has it."""

    def __init__(self, tag: str, *, keys: tuple[str, ...]) -> None:
        self.tag = tag
        self.keys = keys
        who = f"{keys[0]} does not have" if len(keys) == 1 else f"None of {_named(keys)} has"
        super().__init__(
            f"{who} the tag '{tag}'. Nothing was changed.",
            next_step="'bifolio show REF' lists the tags that it has.",
        )


def _named(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:_NAMED_MAX]) + (", ..." if len(keys) > _NAMED_MAX else "")
