"""Queues that are paused: nothing is claimed from them, whatever they hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import rq

from flow import keys
from flow.errors import InvalidCall
from flow.store import queues
from tests.support.leaks import queued
from tests.support.turns import Turns, failed, record

if TYPE_CHECKING:
    import redis

    from flow.store.client import Store

RQ: Any = rq  # typed in part


def test_nothing_is_claimed_from_a_paused_queue_and_the_others_go_on(
    store: Store,
) -> None:
    held, taken = record("mail"), record("default")
    store.enqueue([held, taken])
    turns = Turns(store, "mail", "default")
    assert queues.pause(store, "mail")
    assert not queues.pause(store, "mail")
    assert [claim.job_id for claim in turns.take(5)] == [taken.id]
    assert queued(store, "mail") == [held.id]
    assert queues.resume(store, "mail")
    assert not queues.resume(store, "mail")
    assert [claim.job_id for claim in turns.take(5)] == [held.id]


def test_what_runs_goes_on_and_is_settled_in_a_paused_queue(store: Store) -> None:
    store.enqueue([record("mail")])
    turns = Turns(store, "mail")
    claim = turns.one()
    queues.pause(store, "mail")
    assert turns.settle(failed(claim)) == []
    assert store.status(claim.job_id) == "failed"


def test_a_spoilt_pause_stops_nobody(store: Store, client: redis.Redis) -> None:
    client.set(keys.PAUSED, "of another type")
    store.enqueue([record()])
    assert Turns(store).one()


def test_a_queue_that_nobody_knows_cannot_be_paused(store: Store) -> None:
    store.enqueue([record("mail")])
    with pytest.raises(InvalidCall, match="no queue 'mial'; known: mail"):
        queues.pause(store, "mial")


def test_how_a_queue_stands_is_told_in_numbers(store: Store) -> None:
    store.enqueue([record("mail"), record("mail"), record("mail")])
    turns = Turns(store, "mail")
    turns.settle(failed(turns.one()))
    turns.one()
    (mail,) = queues.standings(store, time.time() + 100)
    assert (mail.name, mail.waiting, mail.started, mail.failed) == ("mail", 1, 1, 1)
    assert (mail.scheduled, mail.deferred) == (0, 0)
    assert (mail.served_by, mail.paused) == ((), False)
    assert mail.oldest is not None
    assert mail.oldest >= 99


def test_a_failed_job_that_rqs_tools_queued_again_does_not_expire_while_it_runs(
    store: Store, client: redis.Redis
) -> None:
    store.enqueue([record()])
    turns = Turns(store)
    claim = turns.one()
    turns.settle(failed(claim, ttl=60))
    RQ.job.Job.fetch(claim.job_id, connection=client).requeue()
    assert client.ttl(keys.job(claim.job_id)) > 0
    turns.one()
    assert client.ttl(keys.job(claim.job_id)) == -1
