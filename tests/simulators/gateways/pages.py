"""The page where a customer pays; made for a phone."""

from html import escape

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 24rem; margin: 0 auto; padding: 1rem; }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; }}
dd {{ margin: 0; text-align: right; overflow-wrap: anywhere; }}
button, input {{ display: block; width: 100%; box-sizing: border-box; min-height: 3rem;
  margin: .5rem 0; font: inherit; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""

CHOICES = {
    "pay": "Pay",
    "fail": "Pay without enough money",
    "cancel": "Cancel",
    "close": "Close the page without paying",
    "pay_close": "Pay, then close the page",
}


def page(title, body):
    """Return an HTML page; ``body`` is HTML already."""
    return PAGE.format(title=escape(title), body=body)


def pay_page(title, action, facts, inputs=(), choices=CHOICES, error=""):
    """Return the page that asks a customer to pay.

    :param action: URL the choice is posted to, as ``choice=pay``
    :param facts: ``{label: text}`` shown above
    :param inputs: ``(name, label, value)`` of further fields, such as the wallet and its PIN
    :param choices: ``{choice: label}``, or some keys of CHOICES
    """
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    fields = "".join(
        f'<label>{escape(label)}<input name="{escape(name)}" value="{escape(value)}"></label>'
        for name, label, value in inputs
    )
    labels = choices if isinstance(choices, dict) else {key: CHOICES[key] for key in choices}
    buttons = "".join(
        f'<button name="choice" value="{key}">{escape(label)}</button>'
        for key, label in labels.items()
    )
    problem = f'<p role="alert">{escape(error)}</p>' if error else ""
    return page(
        title,
        f"<dl>{rows}</dl>{problem}"
        f'<form method="post" action="{escape(action)}">{fields}{buttons}</form>',
    )


def closed_page(title):
    """Return what is left on the screen when the customer does not go back to the shop."""
    return page(title, "<p>You can close this page.</p>")


def posting_page(title, url, fields):
    """Return a page that takes the browser to the shop by POST, as SSLCommerz does."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(str(value))}">'
        for name, value in fields.items()
    )
    return page(
        title,
        f'<form method="post" action="{escape(url)}">{inputs}<button>Back to the shop</button>'
        "</form><script>document.forms[0].submit()</script>",
    )
