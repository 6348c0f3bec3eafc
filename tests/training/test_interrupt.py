"""Interruption by signals."""

import os
import signal

from facedis.training.interrupt import stop_between_steps


def test_the_first_signal_sets_the_event_and_restores_the_handlers():
    before = signal.getsignal(signal.SIGINT)
    with stop_between_steps() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_between_steps() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.wait(0.1)
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
