"""What holds of every error: a code of its own, facts, and a next step that is a code too."""

from __future__ import annotations

import ast
import re
from io import StringIO
from tokenize import generate_tokens

import pytest
from tests.support.cases import each
from tests.support.floor_plan import ROOT, modules

import bifolio.errors
from bifolio.errors import (
    FACTS,
    BifolioError,
    InvalidValueError,
    Next,
    NextStep,
    PinnedKeyError,
    UsageError,
    from_plain,
    next_step,
    to_plain,
)

ERRORS = [
    one
    for name in bifolio.errors.__all__
    if isinstance(one := getattr(bifolio.errors, name), type) and issubclass(one, BifolioError)
]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [one.code for one in ERRORS]
    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes), codes
    assert all("code" in vars(one) for one in ERRORS)


def test_an_error_carries_its_facts_and_its_next_step_as_a_code() -> None:
    error = PinnedKeyError("doe2024")
    assert (error.code, error.key, error.exit_code) == ("pinned-key", "doe2024", 1)
    assert error.next_step == next_step(Next.UNPIN_KEY, key="doe2024")
    assert str(error) == error.message
    assert UsageError("No.", next_step="Do this.").next_step == next_step(
        Next.ADVICE, text="Do this."
    )
    assert BifolioError("No.").next_step is None


@each("code", Next)
def test_a_step_takes_its_facts_and_no_others(code: Next) -> None:
    facts = dict.fromkeys(FACTS.get(code, ()), "x")
    step = NextStep(code, facts)
    assert from_plain(to_plain(step)) == step
    with pytest.raises(TypeError):
        NextStep(code, {**facts, "another": "x"})


@each(
    ("stored", "step"),
    [
        ("Run it again.", next_step(Next.ADVICE, text="Run it again.")),
        ("", None),
        (None, None),
        (["walk-the-dog", {}], next_step(Next.ADVICE, text="walk-the-dog")),
        (["unpin-key", {}], next_step(Next.ADVICE, text="unpin-key")),
        (["unpin-key"], None),
        (7, None),
    ],
)
def test_a_stored_step_of_another_version_is_read_as_it_stands(
    stored: object, step: NextStep | None
) -> None:
    assert from_plain(stored) == step


def steps_of(text: str) -> set[str]:
    """The steps that the code of a module names, not its comments and strings.

    Its words are read, not its tree: parsing every module takes seconds.
    """
    if "Next." not in text:
        return set()
    words = [one.string for one in generate_tokens(StringIO(text).readline)]
    return {
        name
        for enum, dot, name in zip(words, words[1:], words[2:], strict=False)
        if (enum, dot) == ("Next", ".")
    }


def test_a_step_in_a_comment_or_a_string_is_not_used() -> None:
    assert steps_of('"""Next.SYNC"""\n# Next.SYNC\nx = "Next.SYNC"\n') == set()
    assert steps_of("raise Odd(next_step=Next.SYNC)  # Next.PULL\n") == {"SYNC"}


def test_every_step_is_used() -> None:
    named = {
        name
        for module in modules()
        if not module.path.endswith("next_steps.py")
        for name in steps_of(module.text)
    }
    # Advice is what a text becomes where an error is raised.
    assert {one.name for one in Next} - named <= {"ADVICE"}


_COMMAND = re.compile(
    r"\bbifolio (?:-L\b|--?[a-z]|init|import|export|cite|add|edit|show|list|search|copy|group|tag|"
    r"file|key|duplicates|merge|delete|restore|trash|history|revert|undo|log|attach|invite|sync|"
    r"status|conflicts|resolve|backup|autosync|doctor|relay|demo)\b|(?:^|[\s'(])--[a-z]"
)

#: What a file says that holds such a text: the others need not be parsed.
_MAY_NAME = re.compile(r"(?<!from )bifolio |--[a-z]")

#: Texts that go into hashes and marks, and are no words for anybody.
_NO_WORDS = {"bifolio backup", "bifolio import", "bifolio copy", "bifolio group"}


def test_no_text_of_the_engine_or_the_relay_names_a_command() -> None:
    """The relay's own command (its start and the words of that) is a front end."""
    wrong = []
    for module in modules():
        if module.path.startswith("cli/") or module.path in (
            "relay/bifolio_relay/next_steps.py",
            "relay/bifolio_relay/config.py",
            "relay/bifolio_relay/server.py",
        ):
            continue
        if not _MAY_NAME.search(module.text):
            continue
        docstrings = {
            id(node.body[0].value)
            for node in module.nodes
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        wrong += [
            f"{module.path}:{node.lineno}: {node.value}"
            for node in module.nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and _COMMAND.search(node.value)
            and node.value not in _NO_WORDS
        ]
    assert wrong == []


def test_a_text_that_names_a_command_is_found() -> None:
    for text in ("Run 'bifolio sync'.", "bifolio -L x status", "Use --force.", "--force"):
        assert _COMMAND.search(text), text
    for text in ("bifolio.errors", "a --- b", "Bifolio is", "bifolio device key"):
        assert not _COMMAND.search(text), text
    assert ROOT.is_dir()


@pytest.mark.parametrize("value", ["x" * 10_000, "two words " * 1_000])
def test_no_message_repeats_ten_thousand_characters(value: str) -> None:
    for error in (UsageError(f"No library is called '{value}'."), BifolioError(f"/{value} is.")):
        is_one_run = " " not in value
        if is_one_run or "'" in str(error):
            assert len(str(error)) < 500
        assert str(error) == error.message


def test_a_message_of_usual_length_stays_as_it_is() -> None:
    said = f"There is nothing at {'/folder' * 40} of '{'name ' * 30}'."
    assert str(UsageError(said)) == said


def test_an_option_is_called_an_option() -> None:
    assert str(InvalidValueError("--expires", expected="a time", got="'x'")).startswith(
        "The option '--expires' takes a time"
    )
    assert str(InvalidValueError("year", expected="a year", got="'x'")).startswith("The field ")
