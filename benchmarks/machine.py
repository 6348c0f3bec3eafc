"""Description of the machine, its load and the software versions, for benchmark records."""

import os
import platform
from typing import Any

import torch

from facedis.training.run_folder import processor


def machine() -> dict[str, Any]:
    """Return processor, cores, threads, memory, GPU, versions and load average."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "memory_gb": round(memory / 1e9, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 1),
    }


def sentence(about: dict[str, Any]) -> str:
    """Return the description as a sentence."""
    gpu = f"one {about['gpu']}" if about["gpu"] else "no GPU"
    return (
        f"{about['system']}, {about['processor']}, {about['cores']} cores, torch threads: {about['threads']}, "
        f"{about['memory_gb']} GB, {gpu}; Python {about['python']}, torch {about['torch']}; load average at the start "
        f"{about['load']}"
    )
