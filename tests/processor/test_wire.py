"""Octets written by hand, held against the messages they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor import messages, wire

texts = st.text(st.characters(codec="utf-8"), max_size=300)
names = st.text("abcdefghijklmnopqrstuvwxyz-:", min_size=1, max_size=200)


@given(
    put=st.dictionaries(names, texts, max_size=5),
    remove=st.lists(names, max_size=4),
    facts=st.dictionaries(names, texts, max_size=7),
)
def test_the_octets_are_those_of_the_messages(
    put: dict[str, str], remove: list[str], facts: dict[str, str]
) -> None:
    mutation = messages.header_mutation(put, remove)
    expected = messages.forward_headers(mutation, messages.metadata(facts), None)

    assert pb.ProcessingResponse.FromString(wire.routed(put, remove, facts)) == expected


def test_a_lesson_is_written_anew_each_time() -> None:
    first, second = (wire.routed({}, [], {"learn": text}) for text in ("a|b", "c|d"))

    assert b"a|b" in first
    assert b"c|d" in second


@given(st.integers(0, 40_000))
def test_a_piece_of_a_list_is_that_of_the_message(size: int) -> None:
    body = bytes(size)

    said = pb.ProcessingResponse.FromString(wire.piece(body)).streamed_immediate_response

    assert said == pb.StreamedImmediateResponse(body_response=pb.StreamedBodyResponse(body=body))


def test_the_end_of_a_list_is_that_of_the_message() -> None:
    said = pb.ProcessingResponse.FromString(wire.END_OF_BODY).streamed_immediate_response

    ending = pb.StreamedBodyResponse(end_of_stream=True)
    assert said == pb.StreamedImmediateResponse(body_response=ending)
