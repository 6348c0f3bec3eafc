import numpy as np
import pytest

from facedis.metrics.verification.pairs import cosines
from facedis.metrics.verification.ranking import (
    TopK,
    default_search,
    faiss_search,
    numpy_search,
    top_k,
    top_k_per_query,
)

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(500, 16)).astype(np.float32)
QUERY = RNG.normal(size=16).astype(np.float32)


def full_sort(query, codes, top):
    values = cosines(np.concatenate([codes, query[None]]), np.arange(len(codes)), np.full(len(codes), -1))
    return np.argsort(-values, kind="stable")[:top], values


@pytest.fixture(params=["products", "faiss"])
def search(request):
    if request.param == "faiss":
        pytest.importorskip("faiss", reason="the extra 'faiss' is not installed")
        return faiss_search
    return numpy_search


@pytest.mark.parametrize("top", [1, 7, 500, 900])
def test_top_k_equals_a_full_sort(search, top):
    expected, _ = full_sort(QUERY, CODES, top)
    np.testing.assert_array_equal(top_k(QUERY, CODES, top, search), expected)


@pytest.mark.parametrize("block", [1, 3, 64, 1000])
def test_block_size_does_not_change_the_result(search, block):
    best = TopK(QUERY, 9, search)
    for start in range(0, len(CODES), block):
        best.add(CODES[start : start + block])
    expected, values = full_sort(QUERY, CODES, 9)
    np.testing.assert_array_equal(best.indices, expected)
    np.testing.assert_allclose(best.cosines, values[expected], atol=1e-6)


def test_identical_code_is_first_among_nearly_equal_codes(search):
    codes = (1 + 1e-4 * RNG.normal(size=(300, 32))).astype(np.float32)
    assert top_k(codes[123], codes, 1, search).tolist() == [123]


def test_equal_codes_keep_their_order(search):
    codes = np.tile(QUERY, (6, 1))
    best = TopK(QUERY, 3, search)
    for start in (0, 3):
        best.add(codes[start : start + 3])
    assert best.indices.tolist() == [0, 1, 2] and best.cosines == pytest.approx(1)


def test_codes_of_zero_tiny_and_huge_length(search):
    codes = np.array([[0, 0], [3e-20, 0], [2e30, 0], [-1, 0], [1, 1]], np.float32)
    assert set(top_k(np.array([1, 0], np.float32), codes, 2, search)) == {1, 2}
    assert top_k(np.zeros(2, np.float32), codes, 1, search).tolist() == [0]


def test_no_codes(search):
    best = TopK(QUERY, 4, search)
    best.add(CODES[:0])
    assert len(best.indices) == 0


def test_default_search_is_faiss_where_installed():
    try:
        import faiss  # noqa: F401
    except ImportError:
        assert default_search() is numpy_search
    else:
        assert default_search() is faiss_search


@pytest.mark.parametrize("top", [1, 4, 9])
def test_top_k_per_query_equals_single_queries(top):
    rng = np.random.default_rng(3)
    queries, codes = rng.normal(size=(5, 6)), rng.normal(size=(9, 6))
    codes[4] = 0
    places, values = top_k_per_query(queries, codes, top)
    lengths = np.linalg.norm(codes, axis=1).clip(1e-9)
    for query, found, near in zip(queries, places, values, strict=True):
        expected = codes @ query / lengths / np.linalg.norm(query)
        assert found.tolist() == np.argsort(-expected)[:top].tolist()
        np.testing.assert_allclose(near, expected[found], atol=1e-6)
    assert top_k_per_query(queries, codes, 99)[0].shape == (5, 9)
