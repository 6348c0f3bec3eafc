"""Exceptions for errors that the user can fix."""


class FacedisError(Exception):
    """Base class. The command line prints it as one line and exits with status 2.

    Args:
        message: What is wrong and where: the file, row or option.
        hint: What to do next, without a capital or a full stop.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        line = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(line.split())


class InputError(FacedisError):
    """An input file or folder cannot be used."""


class ConfigError(FacedisError):
    """A setting is unknown or out of range."""


class CacheError(FacedisError):
    """A faces cache is missing, damaged, unfinished or of another version."""


class RunError(FacedisError):
    """A run folder has no usable model, or its model does not support the request."""


class WeightsError(FacedisError):
    """Pretrained weights are not available or do not match their checksum or the model."""


class MissingExtra(FacedisError):
    """The packages of an optional extra are not installed.

    Args:
        what: The feature that needs them.
        extra: Name of the extra, as in `pip install 'facedis[extra]'`.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed", f"pip install 'facedis[{extra}]'")


class MissingPackage(FacedisError):
    """A package that belongs to no extra is not installed.

    Args:
        what: The feature that needs it.
        package: Name of the package.
    """

    def __init__(self, what: str, package: str) -> None:
        super().__init__(f"{what} needs the package {package}", f"pip install {package}")


class OutputError(FacedisError):
    """An output file or folder cannot be written."""
