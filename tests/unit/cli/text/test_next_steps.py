"""Every next step of the engine and the relay has its words, on each command line."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.errors import FACTS, Fact, Next, NextStep, next_step
from bifolio_cli.text.next_steps import WORDS, word, word_of
from bifolio_relay import next_steps as of_the_relay

#: Facts that are several texts.
_LISTS = {"names", "suggestions", "formats", "owners"}


def _step(code: Next) -> NextStep:
    facts: dict[str, Fact] = {
        name: (f"a-{name}",) if name in _LISTS else f"a-{name}" for name in FACTS.get(code, ())
    }
    return NextStep(code, facts)


def test_every_step_has_words() -> None:
    assert set(WORDS) == set(Next)


@each("code", Next)
def test_the_words_say_every_fact(code: Next) -> None:
    said = word(_step(code))
    for name in FACTS.get(code, ()):
        assert f"a-{name}" in said
    assert said[0].isupper() or said[0] in "'a", said


def test_a_fact_that_a_shell_would_split_is_quoted() -> None:
    assert word(next_step(Next.LIST_GROUP_REFERENCES, group="To read")) == (
        "List its references with: bifolio list --group 'To read'"
    )


def test_what_is_no_step_has_no_words() -> None:
    assert word_of(None) == ""
    assert of_the_relay.word(None) == ""


def test_the_relay_words_a_step_as_the_command_line_does() -> None:
    for code in of_the_relay.WORDS:
        assert of_the_relay.word(NextStep(code)) == word(NextStep(code))
    assert of_the_relay.word(next_step(Next.ADVICE, text="Do this.")) == "Do this."
