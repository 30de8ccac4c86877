"""Cases of one test that take less time than what pytest does around a test of its own.

``each`` is ``pytest.mark.parametrize`` for a function that takes nothing but its cases: in `make
test` they are one test, which tries all of them and names each that fails; in `make test-all`
(``BIFOLIO_TEST_FULL``), each is a test of its own, which can be chosen by its id.
A fixture of such a test is shared by its cases.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from tests.support.examples import IS_FULL

_Test = Callable[..., None]


def each(
    names: str | Sequence[str],
    values: Iterable[Any],
    *,
    ids: Callable[[Any], object | None] | Iterable[str | None] | None = None,
) -> Callable[[_Test], _Test]:
    """The cases of a test, as ``pytest.mark.parametrize`` has them; no case can be marked."""
    listed = list(values)
    assert listed, "a test without a case cannot fail"
    if any(one.marks for one in listed if _is_param(one)):
        raise TypeError("a case that is marked is a test of its own: use pytest.mark.parametrize")
    if IS_FULL:
        mark: Any = pytest.mark.parametrize(names, listed, ids=ids)
        return lambda test: mark(test)
    split = names.split(",") if isinstance(names, str) else names
    called = [one.strip() for one in split if one.strip()]
    cases = [dict(zip(called, _values(one, len(called)), strict=True)) for one in listed]

    def decorate(test: _Test) -> _Test:
        assert not inspect.iscoroutinefunction(test)

        @functools.wraps(test)
        def all_cases(**fixtures: Any) -> None:
            failures: list[Exception] = []
            for case in cases:
                try:
                    test(**fixtures, **case)
                except Exception as error:  # noqa: BLE001  the other cases are tried too
                    error.add_note(f"the case {case!r:.2000}")
                    failures.append(error)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(cases)} cases", failures)

        signature = inspect.signature(test)
        kept = [one for name, one in signature.parameters.items() if name not in called]
        assert len(kept) == len(signature.parameters) - len(called)
        all_cases.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return all_cases

    return decorate


def _is_param(case: object) -> bool:
    return isinstance(case, type(pytest.param()))


def _values(case: Any, count: int) -> Sequence[Any]:
    """The value of each name."""
    if _is_param(case):
        given: Sequence[Any] = case.values
        return given
    return [case] if count == 1 else list(case)
