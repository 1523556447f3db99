"""`esports run &` in a script could not be stopped: SIGINT was ignored there, and Dagster let SIGTERM do what SIGINT does."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from dagster._utils.interrupts import setup_interrupt_handlers

from esports_assets.commands.stopping import stoppable


@pytest.fixture(autouse=True)
def background_job() -> Iterator[None]:
    """As a shell without job control starts a job with ``&``."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_stop_a_run_after_dagster_has_set_its_own(number: signal.Signals) -> None:
    with stoppable():
        setup_interrupt_handlers()
        with pytest.raises(KeyboardInterrupt):
            _interrupted(number)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _interrupted(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.5)
