"""Error codes of bKash in words.

Source: list of error codes of bKash's developer portal (as of 2026). ``9999`` and ``503`` are what
the API answers when it cannot say more.
"""

from .common import Misconfigured, Refused, Unknown

# What a code means for the caller; the sentences are for staff.
_MISCONFIGURED = {
    "2001": "bKash does not know the app key. Repair it in the settings of bKash.",
    "2043": "bKash does not accept the user name or password. Repair them in the settings.",
    "2061": "bKash says that this app did not start the payment: the app key belongs to another "
    "merchant than before.",
    "2064": "bKash has not enabled this kind of payment for the merchant. Ask bKash's support.",
    "2067": "bKash does not let this merchant do that. Ask bKash's support for the permission.",
    "2118": "bKash does not accept the platform of this merchant. Ask bKash's support.",
}

_REFUSED = {
    # What we sent
    "2002": "bKash does not know this payment id.",
    "2004": "The date of the first payment is not valid.",
    "2005": "The frequency is not valid.",
    "2006": "bKash does not accept the amount.",
    "2007": "bKash does not accept the currency: only BDT is paid.",
    "2008": "bKash does not accept the intent of the payment.",
    "2009": "The wallet is not valid.",
    "2012": "The number of the receiver is not valid.",
    "2025": "bKash could not read the request.",
    "2030": "The kind of mandate is not valid.",
    "2031": "bKash does not accept the invoice number: no < > &, at most 255 characters.",
    "2032": "The kind of transfer is not valid.",
    "2047": "bKash does not accept the data of the aggregator.",
    "2048": "bKash does not accept the payer reference.",
    "2049": "bKash does not accept the address that customers return to. It must be a public "
    "https address: check the base URL of this database.",
    "2063": "bKash does not accept the mode of the payment.",
    "2065": "A field that bKash needs is missing.",
    # The customer
    "2010": "The customer's code is not valid.",
    "2011": "The customer's PIN is not valid.",
    "2013": "The customer asked for too many codes.",
    "2014": "The customer entered a wrong PIN.",
    "2015": "The customer entered a wrong PIN too often.",
    "2016": "The customer entered a wrong code.",
    "2017": "The customer entered a wrong code too often.",
    "2018": "The customer's code has expired.",
    "2019": "The customer's PIN has expired.",
    "2023": "The customer's wallet does not have enough money.",
    "2045": "bKash does not know the customer's number.",
    "2057": "The customer's number is not a bKash account.",
    "2058": "The customer's number is not a customer's wallet.",
    "2059": "The customer asked for several codes at once.",
    # State
    "2029": "The same wallet paid the same amount less than two minutes ago. The customer has to "
    "wait, or has paid already.",
    "2055": "The saved wallet is not in a state that allows this.",
    "2056": "The payment is not in a state that allows this.",
    "2060": "The customer has not confirmed the payment.",
    "2062": "The payment has been completed already.",
    "2068": "The transaction has been completed already.",
    "2069": "The transaction was cancelled.",
    "2116": "The wallet has been saved already.",
    "2117": "The payment has been executed already.",
    "2119": "The authorised payment has been processed already.",
    # Saved wallets
    "2021": "The mandate is not valid.",
    "2022": "The mandate is not valid.",
    "2027": "The mandate is not valid.",
    "2036": "The mandate is not valid.",
    "2050": "The wallet is saved already.",
    "2051": "bKash does not know the saved wallet.",
    "2052": "The customer did not finish saving the wallet.",
    "2053": "The customer or bKash cancelled the saved wallet.",
    "2054": "The wallet cannot be saved yet.",
    "2066": "The saved wallet belongs to another merchant.",
    # Refunds
    "2026": "The refund is higher than what is left of the payment.",
    "2028": "The serial number is missing.",
    "2033": "bKash does not find the transaction.",
    "2034": "The payment was refunded already: bKash refunds it only once.",
    "2035": "bKash does not let this merchant refund. Ask bKash's support for the permission.",
    "2042": "bKash does not let this merchant refund. Ask bKash's support for the permission.",
    # Accounts
    **dict.fromkeys(
        ("2037", "2038", "2039", "2040", "2041", "2044", "2046"),
        "bKash does not allow it in the present state of the customer's or merchant's account.",
    ),
}

_UNKNOWN = {
    "2003": "bKash could not process it.",
    "2020": "bKash has a problem.",
    "2024": "bKash has a problem.",
    "503": "bKash is being maintained.",
    "9999": "bKash has a problem.",
}

# Somebody executed before, or the payment is in no state for it: only a query tells.
ASK_INSTEAD = {"2056", "2060", "2062", "2068", "2116", "2117", "2119"}

AGREEMENT_GONE = {"2051", "2053"}


def error_of(code, text=""):
    """Return the exception for an error code; a code that nobody described is Unknown.

    :param text: bKash's own words, shown for codes without words of ours
    """
    for words, kind in (
        (_REFUSED, Refused),
        (_MISCONFIGURED, Misconfigured),
        (_UNKNOWN, Unknown),
    ):
        if code in words:
            return kind(f"{words[code]} (bKash: {code})", code)
    said = f"“{text[:100]}” " if text else ""
    return Unknown(
        f"bKash answered {said}with the code {code[:20]}, which is not documented.", code
    )
