from collections import Counter
from dataclasses import replace

import numpy as np

from facedis.synthetic.render_plan import SetPlan
from facedis.taxonomy import EIGHT

PLAN = SetPlan(identities=25, per_expression=2, size=64, seed=3)


def test_everybody_shows_everything_in_one_split():
    assert Counter((shot.number, shot.expression) for shot in PLAN.shots) == {
        (number, name): 2 for number in range(25) for name in EIGHT
    }
    assert Counter(PLAN.split(number) for number in range(25)) == {"train": 17, "val": 3, "test": 5}
    assert len({shot.name for shot in PLAN.shots}) == 400


def test_a_picture_does_not_depend_on_how_many_others_there_are():
    larger = replace(PLAN, identities=40, per_expression=5)
    same = {shot.name: shot for shot in larger.shots}
    for shot in PLAN.shots[::37]:
        np.testing.assert_array_equal(shot.actions[0], same[shot.name].actions[0])
        assert shot.setting.background == same[shot.name].setting.background
        assert shot.setting.yaw == same[shot.name].setting.yaw


def test_another_seed_is_another_set():
    one, other = PLAN.shots[5], replace(PLAN, seed=4).shots[5]
    assert one.setting.background != other.setting.background
    assert not np.array_equal(PLAN.person(0).skin, replace(PLAN, seed=4).person(0).skin)


def test_factors_are_independent():
    shots = replace(PLAN, identities=60).shots
    yaw = np.array([shot.setting.yaw for shot in shots])
    light = np.array([shot.setting.key[0] for shot in shots])
    label = np.array([EIGHT.index(shot.expression) for shot in shots])
    person = np.array([shot.number for shot in shots])
    limit = 4 / np.sqrt(len(shots))  # four standard errors of a correlation
    assert abs(np.corrcoef(yaw, light)[0, 1]) < limit
    for factor in (yaw, light):
        for groups, count in ((label, 8), (person, 60)):
            means = np.array([factor[groups == group].mean() for group in range(count)])
            share = (means.var() - factor.var() * count / len(shots)) / factor.var()
            assert abs(share) < 0.05


def test_a_grid_is_everybody_who_tests_under_one_light():
    grid = replace(PLAN, grid=True)
    assert len(grid.shots) == 5 * 8
    assert {PLAN.split(shot.number) for shot in grid.shots} == {"test"}
    assert len({(shot.setting.yaw, shot.setting.background) for shot in grid.shots}) == 1
    for name in EIGHT:
        assert len({tuple(shot.actions[0]) for shot in grid.shots if shot.expression == name}) == 1
    assert grid.person(24).iris_size == PLAN.person(24).iris_size


def test_scenes_differ_in_nothing_but_the_expression():
    shots = replace(PLAN, scenes=True).shots
    settings = {(shot.number, shot.repeat): set() for shot in shots}
    for shot in shots:
        settings[shot.number, shot.repeat].add((shot.setting.yaw, shot.setting.background, *shot.setting.tint))
    assert len(settings) == 50 and {len(found) for found in settings.values()} == {1}
    assert len({next(iter(found)) for found in settings.values()}) == 50
    assert [tuple(shot.actions[0]) for shot in shots] == [tuple(shot.actions[0]) for shot in PLAN.shots]


def test_every_factor_has_a_name():
    for names, values in (PLAN.person(0).vector(), PLAN.shots[0].setting.vector()):
        assert len(names) == len(set(names)) == len(values)
        assert np.isfinite(values).all()
