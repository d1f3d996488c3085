class AddressProblem(ValueError):
    """Something typed that cannot be used; the models turn ``code`` into a sentence.

    :param code: what is wrong, a key of ``isp_address_reasons.SENTENCES``
    :param value: what was typed
    """

    def __init__(self, code, value=""):
        super().__init__(f"{code}: {value}")
        self.code = code
        self.value = value
