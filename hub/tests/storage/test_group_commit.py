"""Writes that share transactions: each is answered, none is lost, none is doubled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from letsbe_hub.api.envelope import failed
from letsbe_hub.errors import (
    Conflict,
    LetsBeError,
    Overloaded,
    StorageUnavailable,
)
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.testing import Postgresql

SIZES: list[int] = []


def apply(
    connection: sa.Connection, jobs: Sequence[str]
) -> Sequence[str | LetsBeError]:
    SIZES.append(len(jobs))
    answers: list[str | LetsBeError] = []
    for job in jobs:
        if job == "refused":
            answers.append(Conflict("no"))
            continue
        if job == "broken":
            raise ZeroDivisionError
        connection.execute(
            sa.insert(acts).values(at=1.0, actor="x", act="x", subject=job, detail={})
        )
        answers.append(job)
    return answers


def subjects(store: Store) -> list[str]:
    query = sa.select(acts.c.subject).order_by(acts.c.subject)
    return store.read(lambda c: list(c.scalars(query)))


def test_many_share_a_transaction_and_each_is_answered(store: Store) -> None:
    SIZES.clear()
    commits = GroupCommit([store.write] * 2, apply, "test", 50)

    async def run() -> list[str | BaseException]:
        jobs = [*(str(number) for number in range(100)), "refused"]
        return await asyncio.gather(
            *(commits.submit(job) for job in jobs), return_exceptions=True
        )

    *answers, refused = asyncio.run(run())
    commits.close()
    assert answers == [str(number) for number in range(100)]
    assert isinstance(refused, Conflict)
    assert len(SIZES) < 10
    assert max(SIZES) <= 50
    assert len(subjects(store)) == 100


def test_one_that_breaks_does_not_take_the_others_with_it(store: Store) -> None:
    commits = GroupCommit([store.write], apply, "test")

    async def run() -> list[str | BaseException]:
        jobs = ["a", "broken", "b"]
        return await asyncio.gather(
            *(commits.submit(job) for job in jobs), return_exceptions=True
        )

    a, broken, b = asyncio.run(run())
    commits.close()
    assert (a, b) == ("a", "b")
    assert isinstance(broken, ZeroDivisionError)
    assert subjects(store) == ["a", "b"]


def test_a_caller_who_has_gone_changes_nothing_for_others(store: Store) -> None:
    commits = GroupCommit([store.write], apply, "test")

    async def run() -> str:
        gone = asyncio.create_task(commits.submit("gone"))
        await asyncio.sleep(0)
        gone.cancel()
        return await commits.submit("here")

    assert asyncio.run(run()) == "here"
    commits.close()


def test_after_closing_writes_are_refused(store: Store) -> None:
    commits = GroupCommit([store.write], apply, "test")
    commits.close()
    commits.close()
    with pytest.raises(StorageUnavailable):
        asyncio.run(commits.submit("late"))


def by_hand(
    connection: sa.Connection, jobs: Sequence[str]
) -> Sequence[str | LetsBeError]:
    cursor = connection.connection.cursor()
    for job in jobs:
        cursor.execute(
            "INSERT INTO acts (at, actor, act, subject, detail)"
            " VALUES (1, 'x', 'x', %s, '{}')",
            (job,),
        )
    return list(jobs)


@pytest.mark.slow
def test_a_killed_database_loses_nothing_that_was_answered(
    own_server: Postgresql,
) -> None:
    store = Store(own_server.create("hub"))
    migrate(store)
    commits = GroupCommit([store.write] * 2, by_hand, "test", 4)
    answered: list[str] = []
    failed: list[str] = []

    async def one(job: str) -> None:
        try:
            answered.append(await commits.submit(job))
        except StorageUnavailable:
            failed.append(job)

    async def run() -> None:
        before = [asyncio.create_task(one(f"{number:04}")) for number in range(600)]
        while not answered:
            await asyncio.sleep(0)
        await asyncio.to_thread(own_server.kill)
        await asyncio.gather(*before)

    asyncio.run(run())
    assert answered
    assert failed
    with own_server.running():
        present = subjects(store)
        assert set(answered) <= set(present)
        asyncio.run(one("again"))
        assert "again" in answered
    commits.close()
    store.close()


def test_what_would_wait_for_too_long_is_told_when_to_come_again(store: Store) -> None:
    begun, on = threading.Event(), threading.Event()

    def held(connection: sa.Connection, jobs: Sequence[int]) -> Sequence[int]:
        begun.set()
        on.wait()
        return jobs

    commits = GroupCommit([store.write], held, "test", batch=1, waiting=8)

    async def run() -> list[int | BaseException]:
        first = asyncio.ensure_future(commits.submit(-1))
        await asyncio.to_thread(begun.wait)
        more = [asyncio.ensure_future(commits.submit(n)) for n in range(20)]
        await asyncio.sleep(0)
        on.set()
        return await asyncio.gather(first, *more, return_exceptions=True)

    answers = asyncio.run(run())
    commits.close()
    assert answers[:9] == list(range(-1, 8))
    refused = answers[9:]
    assert len(refused) == 12
    for error in refused:
        assert isinstance(error, Overloaded)
        assert failed(error).headers["retry-after"] == str(error.seconds)
