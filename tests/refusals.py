"""What is refused, and in which words."""

from hsi_suite.errors import HsiSuiteError


def refusal(judge):
    """The kind and the words of what is refused; None where nothing is."""
    try:
        judge()
    except HsiSuiteError as error:
        return type(error), str(error)
    return None
