"""The pool: as many connections as it may have, each for one at a time, whoever comes, waits, leaves or breaks one."""

import asyncio
import random

import pytest

from layers.pool import Pool


class Connection:
    def __init__(self):
        self.closed = False
        self.used = False

    def is_closed(self):
        return self.closed

    def terminate(self):
        self.closed = True


class Place:
    """Opens connections, and knows how many were open at once."""

    def __init__(self, fail=()):
        self.made = []
        self.fail = list(fail)

    async def connect(self):
        await asyncio.sleep(0)
        if self.fail and self.fail.pop(0):
            raise OSError("no")
        self.made.append(Connection())
        return self.made[-1]

    @property
    def alive(self):
        return [connection for connection in self.made if not connection.closed]


def test_a_connection_is_used_again():
    async def run():
        place = Place()
        pool = Pool(place.connect, 3)
        for _ in range(5):
            pool.give(await pool.take(1))
        return len(place.made)

    assert asyncio.run(run()) == 1


def test_there_are_never_more_than_the_size_and_none_is_shared():
    async def run():
        place, chance = Place(), random.Random(1)
        pool = Pool(place.connect, 3)
        most = 0

        async def work():
            nonlocal most
            connection = await pool.take(5)
            assert not connection.used
            connection.used = True
            most = max(most, sum(one.used for one in place.alive))
            try:
                await asyncio.sleep(chance.random() / 200)
                if chance.random() < 0.3:
                    connection.terminate()
            finally:
                connection.used = False
                pool.give(connection)

        tasks = [asyncio.create_task(work()) for _ in range(200)]
        for task in chance.sample(tasks, 40):
            asyncio.get_running_loop().call_later(chance.random() / 50, task.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        assert len(place.alive) <= 3
        # Nothing was lost on the way: all three can be had at once.
        taken = [await pool.take(1) for _ in range(3)]
        assert len({id(one) for one in taken}) == 3
        return most

    assert asyncio.run(run()) == 3


def test_who_waits_too_long_is_told_and_holds_nothing():
    async def run():
        place = Place()
        pool = Pool(place.connect, 1)
        first = await pool.take(1)
        with pytest.raises(TimeoutError):
            await pool.take(0.02)
        pool.give(first)
        assert await pool.take(1) is first

    asyncio.run(run())


def test_a_connection_given_to_one_who_leaves_goes_to_the_next():
    async def run():
        place = Place()
        pool = Pool(place.connect, 1)
        first = await pool.take(1)
        leaving = asyncio.create_task(pool.take(5))
        staying = asyncio.create_task(pool.take(5))
        await asyncio.sleep(0)
        pool.give(first)  # to the first who waits …
        leaving.cancel()  # … who goes before it can take it
        assert await staying is first
        with pytest.raises(asyncio.CancelledError):
            await leaving

    asyncio.run(run())


def test_a_broken_connection_makes_room_for_a_new_one():
    async def run():
        place = Place()
        pool = Pool(place.connect, 1)
        broken = await pool.take(1)
        waiting = asyncio.create_task(pool.take(5))
        await asyncio.sleep(0)
        broken.terminate()
        pool.give(broken)
        fresh = await waiting
        assert fresh is not broken
        fresh.terminate()
        pool.give(fresh)
        assert not (await pool.take(1)).closed

    asyncio.run(run())


def test_a_failure_to_connect_leaves_room():
    async def run():
        place = Place(fail=[True, True])
        pool = Pool(place.connect, 1)
        for _ in range(2):
            with pytest.raises(OSError, match="no"):
                await pool.take(1)
        assert await pool.take(1) in place.made

    asyncio.run(run())


def test_all_are_closed_at_the_end():
    async def run():
        place = Place()
        pool = Pool(place.connect, 3)
        taken = [await pool.take(1) for _ in range(3)]
        pool.give(taken[0])
        pool.terminate()
        return place.alive

    assert asyncio.run(run()) == []


def test_few_are_lent_as_long_as_nobody_waits_for_long():
    async def run():
        place = Place()
        pool = Pool(place.connect, 4, eager=2)
        taken = [await pool.take(1) for _ in range(2)]
        waiting = [asyncio.create_task(pool.take(5)) for _ in range(3)]
        await asyncio.sleep(0)
        pool.give(taken[0])
        # Given back in time: the first who waits has it, and no other was opened.
        assert await waiting[0] is taken[0]
        assert len(place.made) == 2
        # None comes back any more: two others are opened, and the last waits for one of the four.
        late = asyncio.create_task(pool.take(5))
        await asyncio.gather(*waiting[1:])
        assert len(place.made) == 4
        assert not late.done()
        pool.give(taken[1])
        assert await late is taken[1]
        return len(place.made)

    assert asyncio.run(run()) == 4


def test_nobody_is_forgotten_while_some_hold_for_long():
    async def run():
        place, chance = Place(), random.Random(2)
        pool = Pool(place.connect, 5, eager=2)

        async def work(seconds):
            connection = await pool.take(5)
            assert not connection.used
            connection.used = True
            try:
                await asyncio.sleep(seconds)
            finally:
                connection.used = False
                pool.give(connection)

        long = [asyncio.create_task(work(0.4)) for _ in range(4)]
        short = [asyncio.create_task(work(chance.random() / 1000)) for _ in range(100)]
        done, _ = await asyncio.wait(short, timeout=0.35)
        assert len(done) == len(short), "who asks shortly waited for those who ask for long"
        await asyncio.gather(*long)
        assert len(place.alive) <= 5

    asyncio.run(run())
