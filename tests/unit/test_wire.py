"""The wire: what of an answer leaves with what, and that nothing is kept back."""

import asyncio

from api.wire import Joining

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Below:
    """A transport that notes what leaves at once."""

    def __init__(self):
        self.left = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.left.append(bytes(data))

    def writelines(self, parts):
        self.left.append(b"".join(parts))

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True


def sent(*steps):
    """Return what leaves when each step is done in turn; None lets the event loop go round."""

    async def run():
        below = Below()
        wire = Joining(below, asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            elif step == "close":
                wire.close()
            else:
                wire.write(step)
        assert wire.is_closing() == ("close" in steps)
        return below.left

    return asyncio.run(run())


def test_the_head_leaves_with_the_body():
    assert sent(HEAD, b"body", b"more") == [HEAD + b"body", b"more"]


def test_a_head_alone_leaves_when_the_loop_turns():
    assert sent(HEAD, None) == [HEAD]
    assert sent(HEAD, None, b"late") == [HEAD, b"late"]


def test_an_empty_body_lets_the_head_go():
    assert sent(HEAD, b"") == [HEAD]


def test_what_was_kept_leaves_before_the_end():
    assert sent(HEAD, "close") == [HEAD]


def test_answers_that_follow_each_other_stay_in_order():
    assert sent(HEAD, b"one", HEAD, HEAD, b"three", None) == [HEAD + b"one", HEAD + HEAD, b"three"]
