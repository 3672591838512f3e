"""Replies: what is one, what is none, and what may reach a terminal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import LineLost
from newsletter.model import Reply, Stage
from newsletter.smtp.replies import Limits, ReplyReader, parse_reply
from newsletter.smtp.waits import PASSED, wait_by_kernel

SMALL = Limits(reply_lines=5, line_bytes=64)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, ReplyReader]]:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield theirs, ReplyReader(ours, SMALL)


def test_a_reply_has_code_status_and_text() -> None:
    reply = parse_reply(Stage.RCPT, [b"550 5.1.1 no such user"])
    assert reply == Reply(Stage.RCPT, 550, "5.1.1", "no such user")


def test_several_lines_are_joined_and_each_loses_its_status() -> None:
    lines = [b"550-5.7.26 unauthenticated", b"550-5.7.26  mail", b"550 5.7.26 refused"]
    assert parse_reply(Stage.DOT, lines) == Reply(
        Stage.DOT, 550, "5.7.26", "unauthenticated mail refused"
    )


@pytest.mark.parametrize("line", [b"250", b"250 ", b"250 OK"])
def test_a_reply_needs_no_status_and_no_text(line: bytes) -> None:
    reply = parse_reply(Stage.DOT, [line])
    assert (reply.code, reply.status, reply.text) == (250, "", line[4:].decode())


def test_a_version_number_is_no_status() -> None:
    assert parse_reply(Stage.DOT, [b"250 2.0.0.1 queued"]).status == ""
    assert parse_reply(Stage.DOT, [b"250 3.0.0 queued"]).status == ""


@pytest.mark.parametrize(
    "line", [b"", b"25", b"999 ok", b"150 ok", b"2x0 ok", b"250ok", b"\xb2\xb5\xb0 ok", b"HTTP/1.1"]
)
def test_attack_30_what_is_no_reply_loses_the_line(line: bytes) -> None:
    with pytest.raises(LineLost) as caught:
        parse_reply(Stage.MAIL, [line])
    assert not caught.value.in_doubt


def test_attack_30_two_codes_in_one_reply_lose_the_line() -> None:
    with pytest.raises(LineLost, match="several codes"):
        parse_reply(Stage.DOT, [b"250-taken", b"550 not taken"])


def test_attack_30_escapes_and_8_bit_never_reach_the_terminal() -> None:
    reply = parse_reply(Stage.DOT, [b"550 5.7.1 \x1b[2J\x07caf\xc3\xa9\tnow\x9b\x00\x7f"])
    assert reply.text == "?[2J?caf?? now???"


@given(st.lists(st.binary(max_size=60).filter(lambda text: b"\n" not in text), min_size=1))
def test_attack_30_any_reply_is_sanitised_or_refused(texts: list[bytes]) -> None:
    lines = [b"550-" + text for text in texts[:-1]] + [b"550 " + texts[-1]]
    reply = parse_reply(Stage.DOT, lines)
    assert reply.code == 550
    assert all(" " <= character <= "~" for character in reply.text)
    assert len(reply.text) <= 1000


@given(st.binary(max_size=40))
def test_attack_30_any_line_is_a_reply_or_line_lost(line: bytes) -> None:
    try:
        reply = parse_reply(Stage.DOT, [line])
    except LineLost:
        return
    assert 200 <= reply.code <= 599


def test_replies_that_come_together_are_read_one_by_one(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    theirs.sendall(b"250-one\r\n250 two\r\n354 go")
    assert reader.read(Stage.MAIL, 1).text == "one two"
    assert reader.held
    theirs.sendall(b" on\r\n")
    assert reader.read(Stage.DATA, 1).text == "go on"
    assert not reader.held


def test_a_line_may_end_in_a_bare_lf_and_two_replies_stay_two(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    theirs.sendall(b"250 taken\n550 5.1.1 nobody\r\n354 go on\n")
    codes = [reader.read(stage, 1).code for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA)]
    assert codes == [250, 550, 354]
    assert not reader.held


def test_attack_30_an_endless_reply_is_cut_off(pair: tuple[socket.socket, ReplyReader]) -> None:
    theirs, reader = pair
    theirs.sendall(b"250-more\r\n" * 50)
    with pytest.raises(LineLost, match="more than 5 lines"):
        reader.read(Stage.EHLO, 1)


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_attack_30_an_endless_line_is_cut_off(
    pair: tuple[socket.socket, ReplyReader], end: bytes
) -> None:
    theirs, reader = pair
    theirs.sendall(b"250 " + b"x" * 500 + end)
    with pytest.raises(LineLost, match="longer than 64 bytes"):
        reader.read(Stage.DOT, 1)


def test_attack_30_ten_megabytes_in_a_line_are_not_kept(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    flood = threading.Thread(target=_send_until_closed, args=(theirs,), daemon=True)
    flood.start()
    with pytest.raises(LineLost, match="longer than 64 bytes"):
        reader.read(Stage.DOT, 5)
    reader.sock.close()
    flood.join(5)
    assert not flood.is_alive()


def _send_until_closed(sock: socket.socket) -> None:
    try:
        for _ in range(10):
            sock.sendall(b"2" * 1_000_000)
    except OSError:
        return


def test_attack_30_a_slow_drip_is_not_waited_for(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    stop = threading.Event()
    drip = threading.Thread(target=_drip, args=(theirs, stop), daemon=True)
    drip.start()
    with pytest.raises(LineLost, match="in time"):
        reader.read(Stage.DOT, 0.3)
    stop.set()
    drip.join(5)


def _drip(sock: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        sock.sendall(b"2")


def test_a_line_that_hung_up_or_spoke_unasked_is_gone(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    assert not reader.gone()
    theirs.sendall(b"421 idle\r\n")
    assert reader.gone()


def test_a_line_that_was_closed_is_gone(pair: tuple[socket.socket, ReplyReader]) -> None:
    theirs, reader = pair
    theirs.close()
    assert reader.gone()


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.01, 0.05])
def test_a_wait_that_the_kernel_minds_ends(seconds: float) -> None:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        wait_by_kernel(ours, seconds)
        with pytest.raises(PASSED):
            ours.recv(1)
        with pytest.raises(PASSED):
            ours.sendall(bytes(1 << 24))


def test_a_wait_of_several_slices_is_as_long_as_asked_for(
    pair: tuple[socket.socket, ReplyReader],
) -> None:
    theirs, reader = pair
    reader.wait_in_slices(0.05)
    late = threading.Timer(0.2, theirs.sendall, (b"250 2.0.0 Ok\r\n",))
    late.start()
    assert reader.read(Stage.DOT, 30).code == 250
    with pytest.raises(LineLost, match="no answer in time"):
        reader.read(Stage.DOT, 0.2)
    late.join()
