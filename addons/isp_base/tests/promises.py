"""The marker of tests that prove a promise of the privacy policy, in the tests of all addons."""


def proves(*_numbers):
    """Say which promises a test proves: ``@proves("P-42")``.

    Nothing happens when the test runs: ``scripts/promises`` reads the marker from the source, and
    lists the test in docs/promises.md. Mark a test only if it fails once the promise is broken.
    """
    return lambda test: test
