"""The codes nearest to one code among any number of them, a block at a time."""

from collections.abc import Callable

import numpy as np

from facedis.metrics.verification.pairs import cosines

#: From a (D,) code, (n, D) codes and a number to the indices of that many of the nearest and their cosines.
Search = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def top_k(query: np.ndarray, codes: np.ndarray, top: int, search: Search | None = None) -> np.ndarray:
    """(at most top,) Indices of the codes with the highest cosine to `query`, the highest first.

    Equal cosines keep the order of the codes.

    Args:
        query: (D,) a code.
        codes: (n, D) one block.
        top: How many.
        search: What finds candidates, `faiss_search` or `numpy_search`; by default FAISS where it is installed.
    """
    found, values = (search or default_search())(query, codes, min(top, len(codes)))
    return found[np.lexsort((found, -values))]


def top_k_per_query(queries: np.ndarray, codes: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The `top` nearest codes of each query, the nearest first, by plain products.

    Args:
        queries: (q, D).
        codes: (n, D).
        top: At least 1.

    Returns:
        (q, m) int places among `codes` and their (q, m) cosines, m the smaller of `top` and n.
    """
    query_units, units = (_directions(values) for values in (queries, codes))
    values, top = query_units @ units.T, min(top, len(codes))
    places = np.argpartition(-values, top - 1, axis=1)[:, :top] if top < len(codes) else np.argsort(-values, axis=1)
    found = np.take_along_axis(values, places, axis=1)
    order = np.lexsort((places, -found), axis=1)
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(found, order, axis=1)


def _directions(values: np.ndarray) -> np.ndarray:
    """(n, D) float32 of length 1; codes of zeros, which have no direction, stay zeros."""
    lengths = np.linalg.norm(values.astype(np.float32), axis=1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)


def default_search() -> Search:
    """FAISS where it is installed, plain products else; both find the same."""
    try:
        import faiss  # noqa: F401
    except ImportError:
        return numpy_search
    return faiss_search


def numpy_search(query: np.ndarray, codes: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The `top` nearest by looking at each, in no order."""
    values = _likeness(query, codes)
    found = np.argpartition(-values, top - 1)[:top] if 0 < top < len(values) else np.arange(len(values))[:top]
    return found, values[found]


def faiss_search(query: np.ndarray, codes: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The `top` nearest by FAISS's exhaustive search."""
    import faiss

    units = _units(query, codes)
    if not top or units is None:
        return numpy_search(query, codes, top)
    squares, found = faiss.knn(units[-1:], units[:-1], top, metric=faiss.METRIC_L2)
    return found[0], 1 - squares[0].astype(np.float64) / 2


def _likeness(query: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(n,) Cosines of `codes` to `query`.

    1 minus half the square of the distance: near 1, where single precision can no longer tell products
    apart, it still tells distances. Collapsed codes all lie there.
    """
    units = _units(query, codes)
    if units is None:
        return cosines(np.concatenate([codes, query[None]]), np.arange(len(codes)), np.full(len(codes), -1))
    apart = units[:-1] - units[-1]
    return 1 - np.einsum("ij,ij->i", apart, apart).astype(np.float64) / 2


def _units(query: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    """(n + 1, D) float32 of length 1, the query last; None where a length is beyond single precision or 0."""
    whole = np.concatenate([codes, query[None]], dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", whole, whole))[:, None]
    if not (np.isfinite(lengths) & (lengths > 1e-15)).all():  # a code of zeros has no direction
        return None
    return np.divide(whole, lengths, out=whole)


class TopK:
    """The nearest of all codes that were added, block by block; memory for `top` of them and no more.

    Attributes:
        indices: (at most top,) int place of each among all codes, the nearest first.
        cosines: Their cosines.
    """

    def __init__(self, query: np.ndarray, top: int, search: Search | None = None) -> None:
        self._query, self._top, self._search = np.asarray(query, np.float32), top, search or default_search()
        self._seen = 0
        self.indices, self.cosines = np.empty(0, np.int64), np.empty(0)

    def add(self, codes: np.ndarray) -> None:
        """Look at the (n, D) codes that follow those seen so far."""
        found = top_k(self._query, codes, self._top, self._search)
        pair = np.concatenate([codes[found], self._query[None]])
        values = cosines(pair, np.arange(len(found)), np.full(len(found), -1))
        places, values = np.r_[self.indices, self._seen + found], np.r_[self.cosines, values]
        order = np.lexsort((places, -values))[: self._top]
        self.indices, self.cosines = places[order], values[order]
        self._seen += len(codes)
