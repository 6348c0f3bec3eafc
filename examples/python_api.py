"""The Python interface: align, train, evaluate, compare two faces.

Writes faces.h5 and runs/ to the current folder, from the bundled faces.
"""

from pathlib import Path

import facedis


def print_messages(event: facedis.Event) -> None:
    """Event handler that prints notes and warnings; facedis itself prints nothing."""
    if event.kind in ("note", "warning"):
        print(event.text)


def main(epochs: int = 10) -> None:
    faces = Path("faces.h5")
    facedis.align(None, faces, facedis.AlignConfig(), print_messages)  # None: the bundled faces

    options = facedis.TrainOptions(preset="small", settings={"beta1": 0.0, "epochs": epochs})
    trained = facedis.train(faces, options, print_messages)
    run = facedis.load_run(trained.model)

    with facedis.FacesCache.open(faces) as cache:
        result = facedis.evaluate(run, cache, facedis.EvalConfig(split="test"))
        folder = Path(cache.info.source)
        one, other = (folder / cache.sources[row] for row in cache.rows("test")[:2])
    accuracy = result.task["accuracy"]
    print(f"accuracy {accuracy.value:.3f}, chance {accuracy.chance:.3f}, {accuracy.n} faces")

    similarity = facedis.similarity(run, one, other)
    print(f"{one.name} and {other.name}: expression codes at cosine {similarity.cosine:.2f}")


if __name__ == "__main__":
    main()
