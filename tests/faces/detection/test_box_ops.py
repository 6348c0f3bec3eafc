import subprocess
import sys

import pytest
import torch
from torchvision import ops

from facedis.faces.detection.box_ops import (
    clip_boxes,
    first_per_group,
    nms_over_smaller_area,
    regress_boxes,
    square_boxes,
)
from facedis.faces.detection.nms import batched_nms


def test_the_strongest_of_each_group_stay_and_groups_do_not_touch_each_other():
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]])
    kept = batched_nms(boxes, torch.tensor([0.8, 0.9, 0.7, 0.1]), torch.tensor([0, 0, 1, 0]), 0.5)
    assert kept.tolist() == [1, 2, 3]


@pytest.mark.parametrize("n", [1, 40, 3_000])
def test_the_operator_alone_gives_what_the_whole_package_gives(n):
    generator = torch.Generator().manual_seed(n)
    corners = torch.rand(n, 2, generator=generator) * 80
    boxes = torch.cat([corners, corners + 5 + 30 * torch.rand(n, 2, generator=generator)], 1)
    scores, groups = torch.rand(n, generator=generator), torch.randint(0, 7, (n,), generator=generator)
    assert batched_nms(boxes, scores, groups, 0.5).tolist() == ops.batched_nms(boxes, scores, groups, 0.5).tolist()


def test_looking_for_faces_needs_nothing_of_torchvision_but_its_operator():
    script = (
        "import sys\nfrom facedis.faces.detection.mtcnn import Mtcnn\nimport numpy as np\n"
        "Mtcnn('cpu').detect([np.zeros((60, 60, 3), np.uint8)])\n"
        "print(sorted({'torchvision', 'facenet_pytorch', 'torch._dynamo'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_box_inside_another_goes_though_their_union_is_large():
    boxes = torch.tensor([[0.0, 0, 100, 100], [10, 10, 30, 30], [90, 90, 120, 120], [10, 10, 30, 30]])
    scores, groups = torch.tensor([0.9, 0.8, 0.7, 0.95]), torch.tensor([0, 0, 0, 1])
    assert batched_nms(boxes, scores, groups, 0.7).tolist() == [3, 0, 1, 2]
    assert nms_over_smaller_area(boxes, scores, groups, 0.7).tolist() == [3, 0, 2]


def test_of_equally_strong_boxes_the_last_stays():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 11, 11]])
    assert nms_over_smaller_area(boxes, torch.tensor([0.5, 0.5]), torch.zeros(2).long(), 0.7).tolist() == [1]


def test_nothing_in_nothing_out():
    none = torch.zeros(0, 4)
    for function in (batched_nms, nms_over_smaller_area):
        assert function(none, none[:, 0], none[:, 0].long(), 0.7).tolist() == []
    assert first_per_group(none[:, 0].long(), 3).tolist() == []
    assert clip_boxes(none, none[:, :2].long()).shape == (0, 4)


def test_at_most_so_many_of_each_group():
    assert first_per_group(torch.tensor([5, 2, 5, 5, 2, 7]), 2).tolist() == [0, 1, 2, 4, 5]


def test_edges_move_by_shares_of_the_side():
    box, offsets = torch.tensor([[10.0, 20, 29, 59]]), torch.tensor([[0.5, -0.25, 0.1, 0.0]])
    assert regress_boxes(box, offsets).tolist() == [[20, 10, 31, 59]]
    torch.testing.assert_close(regress_boxes(box, offsets, extra=0), torch.tensor([[19.5, 10.25, 30.9, 59]]))


def test_a_square_keeps_centre_and_longer_side():
    assert square_boxes(torch.tensor([[0.0, 0, 10, 30], [0, 0, 8, 4]])).tolist() == [[-10, 0, 20, 30], [0, -2, 8, 6]]


def test_pixels_are_counted_from_one_and_kept_inside():
    boxes = torch.tensor([[1.9, 2.1, 10.9, 11.0], [-5.0, -0.5, 90.0, 60.0], [45.0, 3, 60.0, 9]])
    sizes = torch.tensor([[40, 50], [40, 50], [40, 50]])
    assert clip_boxes(boxes, sizes).tolist() == [[0, 1, 10, 11], [0, 0, 40, 50], [44, 2, 40, 9]]
