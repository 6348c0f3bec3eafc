"""Nearest-neighbour search by cosine, in blocks of any number of codes."""

from collections.abc import Callable

import numpy as np

from facedis.metrics.verification.pairs import cosines

#: From a (D,) query, (n, D) codes and k to the indices of the k nearest codes and their cosines, in any order.
Search = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def top_k(query: np.ndarray, codes: np.ndarray, k: int, search: Search | None = None) -> np.ndarray:
    """(at most k,) indices of the codes with the highest cosine to `query`, in decreasing order.

    Codes with equal cosines are in their original order.

    Args:
        query: (D,) code.
        codes: (n, D).
        k: Number of codes.
        search: `faiss_search` or `numpy_search`; None is `default_search`.
    """
    found, values = (search or default_search())(query, codes, min(k, len(codes)))
    return found[np.lexsort((found, -values))]


def top_k_per_query(queries: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k codes nearest to each query, in decreasing order of the cosine.

    Args:
        queries: (q, D).
        codes: (n, D).
        k: At least 1.

    Returns:
        (q, m) int indices and (q, m) cosines; m is the smaller of k and n.
    """
    query_units, units = (_unit_or_zero(values) for values in (queries, codes))
    values, k = query_units @ units.T, min(k, len(codes))
    indices = np.argpartition(-values, k - 1, axis=1)[:, :k] if k < len(codes) else np.argsort(-values, axis=1)
    found = np.take_along_axis(values, indices, axis=1)
    order = np.lexsort((indices, -found), axis=1)
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(found, order, axis=1)


def _unit_or_zero(values: np.ndarray) -> np.ndarray:
    """(n, D) float32 of length 1; codes of zeros stay zeros."""
    lengths = np.linalg.norm(values.astype(np.float32), axis=1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)


def default_search() -> Search:
    """`faiss_search` where FAISS is installed, otherwise `numpy_search`; both find the same codes."""
    try:
        import faiss  # noqa: F401
    except ImportError:
        return numpy_search
    return faiss_search


def numpy_search(query: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest codes by exhaustive search with numpy."""
    values = _cosines_to(query, codes)
    found = np.argpartition(-values, k - 1)[:k] if 0 < k < len(values) else np.arange(len(values))[:k]
    return found, values[found]


def faiss_search(query: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest codes by FAISS's exhaustive search."""
    import faiss

    units = _unit_codes(query, codes)
    if not k or units is None:
        return numpy_search(query, codes, k)
    squares, found = faiss.knn(units[-1:], units[:-1], k, metric=faiss.METRIC_L2)
    return found[0], 1 - squares[0].astype(np.float64) / 2


def _cosines_to(query: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(n,) cosines of `codes` to `query`.

    Computed as 1 minus half the squared distance, which in single precision distinguishes cosines near 1, where
    all those of collapsed codes are.
    """
    units = _unit_codes(query, codes)
    if units is None:
        return cosines(np.concatenate([codes, query[None]]), np.arange(len(codes)), np.full(len(codes), -1))
    differences = units[:-1] - units[-1]
    return 1 - np.einsum("ij,ij->i", differences, differences).astype(np.float64) / 2


def _unit_codes(query: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    """(n + 1, D) float32 of length 1, the query last; None where a length is 0 or exceeds single precision."""
    stacked = np.concatenate([codes, query[None]], dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", stacked, stacked))[:, None]
    if not (np.isfinite(lengths) & (lengths > 1e-15)).all():
        return None
    return np.divide(stacked, lengths, out=stacked)


class TopK:
    """The k nearest codes of a stream of blocks, in constant memory.

    Args:
        query: (D,) code.
        k: Number of codes.
        search: `faiss_search` or `numpy_search`; None is `default_search`.

    Attributes:
        indices: (at most k,) int index of each code among all codes, in decreasing order of the cosine.
        cosines: Their cosines.
    """

    def __init__(self, query: np.ndarray, k: int, search: Search | None = None) -> None:
        self._query, self._k, self._search = np.asarray(query, np.float32), k, search or default_search()
        self._seen = 0
        self.indices, self.cosines = np.empty(0, np.int64), np.empty(0)

    def add(self, codes: np.ndarray) -> None:
        """Add the next (n, D) codes."""
        found = top_k(self._query, codes, self._k, self._search)
        pair = np.concatenate([codes[found], self._query[None]])
        values = cosines(pair, np.arange(len(found)), np.full(len(found), -1))
        indices, values = np.r_[self.indices, self._seen + found], np.r_[self.cosines, values]
        order = np.lexsort((indices, -values))[: self._k]
        self.indices, self.cosines = indices[order], values[order]
        self._seen += len(codes)
