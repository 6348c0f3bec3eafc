"""Names of codes and probes in tables, figures and sentences."""

CODE_LABELS = {
    "rest": "rest code",
    "expression": "expression code",
    "trunk": "trunk features",
    "erased_trunk": "trunk features after LEACE",
    "random": "untrained branch",
}
PROBE_LABELS = {
    "adversary": "training adversary",
    "linear": "linear probe",
    "whitened": "linear probe, whitened",
    "mlp": "MLP probe",
    "knn": "k-nearest neighbours",
    "boosting": "gradient boosting",
}
