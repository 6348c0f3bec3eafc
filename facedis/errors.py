"""What can go wrong for a user: one line each, with what to do next."""


class FacedisError(Exception):
    """Bad input or a wish that cannot be met. The CLI prints it as one line and exits with 2.

    Args:
        message: What is wrong and where, naming the file, row or option.
        hint: What to do next, as a sentence without a capital.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        line = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(line.split())


class InputError(FacedisError):
    """A file or folder that the user named cannot be used."""


class ConfigError(FacedisError):
    """A setting is unknown or has a value outside its range."""


class CacheError(FacedisError):
    """A faces cache is missing, broken, unfinished or of another version."""


class RunError(FacedisError):
    """A run folder holds no usable model, or holds one that cannot do what was asked."""


class WeightsError(FacedisError):
    """Pretrained weights cannot be had or are not what they should be."""


class MissingExtra(FacedisError):
    """Something needs packages of an optional extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed", f"pip install 'facedis[{extra}]'")


class MissingPackage(FacedisError):
    """Something needs a package that no extra brings."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(f"{what} needs the package {package}", f"pip install {package}")


class OutputError(FacedisError):
    """The place to write to cannot be written."""
