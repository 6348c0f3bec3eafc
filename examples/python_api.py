"""The same steps from Python: align, train, evaluate, compare two faces.

Run it in an empty folder: it makes faces.h5 and runs/ there, from the bundled faces.
"""

from pathlib import Path

import facedis


def tell(event: facedis.Event) -> None:
    """The engine never prints; it tells a handler like this one what happens."""
    if event.kind in ("note", "warning"):
        print(event.text)


def main(epochs: int = 10) -> None:
    faces = Path("faces.h5")
    facedis.align(None, faces, facedis.AlignConfig(), tell)  # None: the bundled faces, else a folder of yours

    options = facedis.TrainOptions(preset="small", train={"beta1": 0.0, "epochs": epochs})
    trained = facedis.train(faces, options, tell)
    run = facedis.load_run(trained["model"])

    with facedis.FacesCache.open(faces) as cache:
        result = facedis.evaluate(run, cache, facedis.EvalConfig(split="test"))
        folder = Path(cache.info.source)
        one, other = (folder / cache.sources[row] for row in cache.rows("test")[:2])
    accuracy = result["task"]["accuracy"]
    print("accuracy {value:.3f}, chance {chance:.3f}, {n} faces".format(**accuracy))

    pair = facedis.similarity(run, one, other)["pairs"][0]
    print(f"{one.name} and {other.name}: expression codes at cosine {pair['expression']['cosine']:.2f}")


if __name__ == "__main__":
    main()
