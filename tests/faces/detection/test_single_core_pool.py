import threading

import pytest
import torch

from facedis.faces.detection.single_core_pool import SingleCorePool


def test_results_come_in_order():
    assert SingleCorePool(3).map(lambda x: x * x, range(50)) == [x * x for x in range(50)]


def test_every_lane_keeps_to_one_core_and_leaves_the_others_alone():
    before = torch.get_num_threads()
    meeting = threading.Barrier(3)

    def cores(_):
        meeting.wait(10)  # so that three lanes work at the same time
        return threading.current_thread().name, torch.get_num_threads()

    found = dict(SingleCorePool(3).map(cores, range(3)))
    assert len(found) == 3 and set(found.values()) == {1}
    assert torch.get_num_threads() == before
    seen = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [before]


def test_one_lane_works_where_it_is_called():
    assert SingleCorePool(1).map(lambda _: threading.current_thread(), [0]) == [threading.current_thread()]


def test_an_error_in_a_lane_is_raised():
    with pytest.raises(ZeroDivisionError):
        SingleCorePool(2).map(lambda x: 1 / x, [1, 0])
