"""Metrics of codes and images: arrays in, numbers out.

The names below are loaded on first use; the modules of this package contain further ones.
"""

from typing import TYPE_CHECKING

from facedis.lazy import lazy_attributes

if TYPE_CHECKING:
    from facedis.metrics.classification.accuracy import (
        balanced_accuracy_score,
        chance_level,
        confusion_matrix,
        macro_f1,
    )
    from facedis.metrics.classification.calibration import expected_calibration_error, fit_temperature, log_loss
    from facedis.metrics.erasure.leace import LeaceEraser, fit_leace
    from facedis.metrics.generation.image_quality import kid, psnr, ssim
    from facedis.metrics.near_duplicates import is_near_duplicate, thumbnails
    from facedis.metrics.probes.linear import LinearProbe, ProbeData, linear_probe
    from facedis.metrics.probes.probe_suite import LINEAR_KINDS, PROBE_KINDS, FittedProbe, fit_probes
    from facedis.metrics.representation.collapse import collapse, dead_share, effective_rank, mean_cosine
    from facedis.metrics.representation.disentanglement import dci, mig, sap
    from facedis.metrics.representation.information import usable_information
    from facedis.metrics.statistics.comparison import McNemar, mcnemar, seed_summary
    from facedis.metrics.statistics.intervals import (
        Bootstrap,
        bootstrap_ci,
        mean_ci,
        percentile_interval,
        proportion_ci,
        wilson_ci,
    )
    from facedis.metrics.verification.pairs import Pairs, auc, cosines, expression_pairs, identity_pairs
    from facedis.metrics.verification.recognition import rank_one, verification_rates
else:
    __getattr__, __dir__ = lazy_attributes(
        __name__,
        {
            "Bootstrap": "facedis.metrics.statistics.intervals",
            "FittedProbe": "facedis.metrics.probes.probe_suite",
            "LINEAR_KINDS": "facedis.metrics.probes.probe_suite",
            "LeaceEraser": "facedis.metrics.erasure.leace",
            "LinearProbe": "facedis.metrics.probes.linear",
            "McNemar": "facedis.metrics.statistics.comparison",
            "PROBE_KINDS": "facedis.metrics.probes.probe_suite",
            "Pairs": "facedis.metrics.verification.pairs",
            "ProbeData": "facedis.metrics.probes.linear",
            "auc": "facedis.metrics.verification.pairs",
            "balanced_accuracy_score": "facedis.metrics.classification.accuracy",
            "bootstrap_ci": "facedis.metrics.statistics.intervals",
            "chance_level": "facedis.metrics.classification.accuracy",
            "collapse": "facedis.metrics.representation.collapse",
            "confusion_matrix": "facedis.metrics.classification.accuracy",
            "cosines": "facedis.metrics.verification.pairs",
            "dci": "facedis.metrics.representation.disentanglement",
            "dead_share": "facedis.metrics.representation.collapse",
            "effective_rank": "facedis.metrics.representation.collapse",
            "expected_calibration_error": "facedis.metrics.classification.calibration",
            "expression_pairs": "facedis.metrics.verification.pairs",
            "fit_leace": "facedis.metrics.erasure.leace",
            "fit_probes": "facedis.metrics.probes.probe_suite",
            "fit_temperature": "facedis.metrics.classification.calibration",
            "identity_pairs": "facedis.metrics.verification.pairs",
            "is_near_duplicate": "facedis.metrics.near_duplicates",
            "kid": "facedis.metrics.generation.image_quality",
            "linear_probe": "facedis.metrics.probes.linear",
            "log_loss": "facedis.metrics.classification.calibration",
            "macro_f1": "facedis.metrics.classification.accuracy",
            "mcnemar": "facedis.metrics.statistics.comparison",
            "mean_ci": "facedis.metrics.statistics.intervals",
            "mean_cosine": "facedis.metrics.representation.collapse",
            "mig": "facedis.metrics.representation.disentanglement",
            "percentile_interval": "facedis.metrics.statistics.intervals",
            "proportion_ci": "facedis.metrics.statistics.intervals",
            "psnr": "facedis.metrics.generation.image_quality",
            "rank_one": "facedis.metrics.verification.recognition",
            "sap": "facedis.metrics.representation.disentanglement",
            "seed_summary": "facedis.metrics.statistics.comparison",
            "ssim": "facedis.metrics.generation.image_quality",
            "thumbnails": "facedis.metrics.near_duplicates",
            "usable_information": "facedis.metrics.representation.information",
            "verification_rates": "facedis.metrics.verification.recognition",
            "wilson_ci": "facedis.metrics.statistics.intervals",
        },
    )

__all__ = [
    "LINEAR_KINDS",
    "PROBE_KINDS",
    "Bootstrap",
    "FittedProbe",
    "LeaceEraser",
    "LinearProbe",
    "McNemar",
    "Pairs",
    "ProbeData",
    "auc",
    "balanced_accuracy_score",
    "bootstrap_ci",
    "chance_level",
    "collapse",
    "confusion_matrix",
    "cosines",
    "dci",
    "dead_share",
    "effective_rank",
    "expected_calibration_error",
    "expression_pairs",
    "fit_leace",
    "fit_probes",
    "fit_temperature",
    "identity_pairs",
    "is_near_duplicate",
    "kid",
    "linear_probe",
    "log_loss",
    "macro_f1",
    "mcnemar",
    "mean_ci",
    "mean_cosine",
    "mig",
    "percentile_interval",
    "proportion_ci",
    "psnr",
    "rank_one",
    "sap",
    "seed_summary",
    "ssim",
    "thumbnails",
    "usable_information",
    "verification_rates",
    "wilson_ci",
]
