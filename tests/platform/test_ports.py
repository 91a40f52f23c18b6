"""A taken port is named, and another one chosen or asked for."""

import socket
from collections.abc import Iterator

import pytest

from trading.stack.ports import choose_port, free_port, is_taken


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_taken_as_it_is() -> None:
    said: list[str] = []
    port = free_port()

    assert choose_port(port, ask=None, tell=said.append) == port
    assert said == []


def test_without_a_terminal_another_port_is_chosen_and_both_are_named(taken: int) -> None:
    said: list[str] = []

    chosen = choose_port(taken, ask=None, tell=said.append)

    assert chosen != taken
    assert not is_taken(chosen)
    assert said == [f"Port {taken} is taken; using {chosen} instead."]


def test_at_a_terminal_the_person_is_asked_until_the_answer_can_be_used(taken: int) -> None:
    said: list[str] = []
    questions: list[str] = []
    wanted = free_port()
    answers = iter([str(taken), "nonsense", str(wanted)])

    def ask(question: str) -> str:
        questions.append(question)
        return next(answers)

    assert choose_port(taken, ask=ask, tell=said.append) == wanted
    assert f"Port {taken} is taken" in questions[0]
    assert said == [f"{taken} cannot be used.", "nonsense cannot be used."]


def test_an_empty_answer_takes_the_proposal(taken: int) -> None:
    def no_talk(text: str) -> None:
        raise AssertionError(text)

    chosen = choose_port(taken, ask=lambda question: "", tell=no_talk)

    assert chosen != taken
