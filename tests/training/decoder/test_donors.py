"""Targets and donors of a batch."""

import torch

from facedis.training.decoder.donors import assign_donors


def test_donors_have_another_expression_and_same_class_donors_the_same():
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 2, 1])
    no_scene, own = torch.full((8,), -1), torch.arange(8)
    found = assign_donors(labels, no_scene, 1.0, 1.0)
    assert (labels[found.donors] != labels).all() and (found.targets == own).all()
    assert (labels[found.same_class_donors] == labels).all() and (found.same_class_donors != own).all()
    assert (assign_donors(labels, no_scene, 1.0, 0.0).same_class_donors == own).all()


def test_paired_targets_are_of_the_same_scene_with_another_expression():
    torch.manual_seed(0)
    labels, scene = torch.tensor([0, 1, 1, 0, 1, 2, 2, 2]), torch.tensor([3, 3, 3, 5, 5, 5, -1, 7])
    found = assign_donors(labels, scene, 1.0, 0.0)
    assert (scene[found.targets] == scene).all() and (found.same_class_donors == found.targets).all()
    assert (labels[found.targets] != labels)[:6].all() and found.targets[6:].tolist() == [6, 7]
    replaced = assign_donors(labels, scene, 1.0, 1.0)
    assert (labels[replaced.same_class_donors] == labels[replaced.targets]).all()
    assert (replaced.same_class_donors != replaced.targets).all()
    assert (assign_donors(labels, scene, 0.0, 0.0).targets == torch.arange(8)).all()
