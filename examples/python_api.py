"""The Python interface: use the bundled model, measure the leakage of its rest code, and train another model.

Writes faces.h5, swap.png, swap/ and runs/ to the current folder, from the bundled faces.
"""

from pathlib import Path

import facedis


def print_messages(event: facedis.Event) -> None:
    """Event handler that prints notes and warnings; facedis itself prints nothing."""
    if event.kind in ("note", "warning"):
        print(event.text)


def main(epochs: int = 1) -> None:
    aligned = facedis.align(None, "faces.h5", handler=print_messages)  # None: the bundled faces
    with facedis.FacesCache.open("faces.h5") as cache:
        a, b = (Path(aligned.source, cache.sources[row]) for row in cache.rows("test")[:2])
        rows = cache.rows()[:1000]
        faces, labels, people = cache.faces(rows), cache.labels[rows], cache.identities[rows]

    model = facedis.load_model("bundled")
    for face in model.predict([a, b]).faces:  # or .to_pandas(), which needs the package pandas
        print(f"{face.expression}, confidence {face.confidence:.2f}")
    print(f"{a.name} and {b.name}: expression codes at cosine {model.similarity(a, b).cosine:.2f}")
    model.swap(a, b).save("swap.png")

    rest = model.encode(faces, crop="none").rest  # the codes of any other model can be audited as well
    leakage = facedis.audit(rest, labels, people, probes="linear")
    print(f"leakage {leakage.strongest}, chance {leakage.chance:.3f}, {leakage.n} faces")

    trained = facedis.train(
        "faces.h5", preset="small", beta1=0.0, decoder="none", epochs=epochs, handler=print_messages
    )
    mine = facedis.load_model(trained.model)
    accuracy = facedis.evaluate(mine, "faces.h5", split="test", probes="linear").task["accuracy"]
    print(f"accuracy {accuracy}, chance {accuracy.chance:.3f}, {accuracy.n} faces")


if __name__ == "__main__":
    main()
