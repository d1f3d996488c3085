"""What is wrong with a file or with one value of it."""


class Problem(ValueError):
    """Something a person has to correct: a code and its parameters.

    Engines know no language; ``models/isp_import_reasons.py`` and ``models/isp_billing_reasons.py``
    put the codes into words.
    """

    def __init__(self, code, **params):
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self):
        details = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}: {details}" if details else self.code


class FileProblem(Problem):
    """The file as a whole cannot be read."""
