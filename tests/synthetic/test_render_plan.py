from collections import Counter
from dataclasses import replace

import numpy as np

from facedis.synthetic.render_plan import RenderPlan
from facedis.taxonomy import EIGHT

PLAN = RenderPlan(identities=25, per_expression=2, size=64, seed=3)


def test_each_identity_has_all_expressions_in_one_split():
    assert Counter((spec.person_index, spec.expression) for spec in PLAN.specs) == {
        (number, name): 2 for number in range(25) for name in EIGHT
    }
    assert Counter(PLAN.split(number) for number in range(25)) == {"train": 17, "val": 3, "test": 5}
    assert len({spec.name for spec in PLAN.specs}) == 400


def test_an_image_is_independent_of_the_size_of_the_set():
    larger = replace(PLAN, identities=40, per_expression=5)
    same = {spec.name: spec for spec in larger.specs}
    for spec in PLAN.specs[::37]:
        np.testing.assert_array_equal(spec.actions[0], same[spec.name].actions[0])
        assert spec.capture.background == same[spec.name].capture.background
        assert spec.capture.yaw == same[spec.name].capture.yaw


def test_another_seed_gives_another_set():
    one, other = PLAN.specs[5], replace(PLAN, seed=4).specs[5]
    assert one.capture.background != other.capture.background
    assert not np.array_equal(PLAN.person(0).skin, replace(PLAN, seed=4).person(0).skin)


def test_factors_are_independent():
    specs = replace(PLAN, identities=60).specs
    yaw = np.array([spec.capture.yaw for spec in specs])
    light = np.array([spec.capture.key[0] for spec in specs])
    label = np.array([EIGHT.index(spec.expression) for spec in specs])
    person = np.array([spec.person_index for spec in specs])
    limit = 4 / np.sqrt(len(specs))  # four standard errors of a correlation
    assert abs(np.corrcoef(yaw, light)[0, 1]) < limit
    for factor in (yaw, light):
        for groups, count in ((label, 8), (person, 60)):
            means = np.array([factor[groups == group].mean() for group in range(count)])
            share = (means.var() - factor.var() * count / len(specs)) / factor.var()
            assert abs(share) < 0.05


def test_a_grid_has_all_test_identities_and_one_capture():
    grid = replace(PLAN, grid=True)
    assert len(grid.specs) == 5 * 8
    assert {PLAN.split(spec.person_index) for spec in grid.specs} == {"test"}
    assert len({(spec.capture.yaw, spec.capture.background) for spec in grid.specs}) == 1
    for name in EIGHT:
        assert len({tuple(spec.actions[0]) for spec in grid.specs if spec.expression == name}) == 1
    assert grid.person(24).iris_size == PLAN.person(24).iris_size


def test_images_of_a_scene_differ_in_expression_only():
    specs = replace(PLAN, scenes=True).specs
    captures = {(spec.person_index, spec.repeat): set() for spec in specs}
    for spec in specs:
        captures[spec.person_index, spec.repeat].add((spec.capture.yaw, spec.capture.background, *spec.capture.tint))
    assert len(captures) == 50 and {len(found) for found in captures.values()} == {1}
    assert len({next(iter(found)) for found in captures.values()}) == 50
    assert [tuple(spec.actions[0]) for spec in specs] == [tuple(spec.actions[0]) for spec in PLAN.specs]


def test_every_factor_has_a_name():
    for names, values in (PLAN.person(0).to_vector(), PLAN.specs[0].capture.to_vector()):
        assert len(names) == len(set(names)) == len(values)
        assert np.isfinite(values).all()
