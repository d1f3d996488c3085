"""Reads printed explanations back and works every sum out anew."""

import re
from decimal import ROUND_HALF_UP, Decimal

from odoo import fields

from .common import IspBillingCase

NUMBER = re.compile(r"−?\d[\d,]*(?:\.\d+)?")


def read_number(text):
    """A printed number; Bengali digits are digits too."""
    return Decimal(text.replace(",", "").replace("−", "-"))


def read_term(text):
    """The value of ``a × b ÷ c``."""
    value, operation = None, None
    for token in text.split(" "):
        if token in ("×", "÷"):
            operation = token
        elif value is None:
            value = read_number(token)
        else:
            number = read_number(token)
            value = value * number if operation == "×" else value / number
    return value


def read_sum(text):
    """The value of terms that are added and taken off."""
    parts = re.split(r" ([+−]) ", text)
    value = read_term(parts[0])
    for sign, term in zip(parts[1::2], parts[2::2], strict=True):
        value += read_term(term) if sign == "+" else -read_term(term)
    return value


def half_up(value, decimals):
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


class ExplainCase(IspBillingCase):
    """Every printed sum is right, and the last number printed is the stored amount."""

    def explain(self, charge, for_customer=False, lang="en_US"):
        """The explanation of a charge, checked."""
        explained = charge.with_context(lang=lang)._get_explanation(for_customer)
        self.check_steps(explained["steps"], charge.amount)
        return explained

    def check_steps(self, steps, amount):
        last_result = last_fraction = None
        for step in steps:
            if step["formula"]:
                result = self.check_formula(step["formula"], last_fraction)
                last_fraction = result if " ÷ " in step["formula"] else last_fraction
            else:
                result = self.read_last(step["amount"] or step["label"])
            last_result = result
        self.assertEqual(last_result, Decimal(str(amount)), steps)

    def check_formula(self, formula, last_fraction=None):
        """The result of ``a × b = c, rounded to d``, every part of which must be right."""
        if " = " not in formula:
            exact, rest = None, formula
            numbers = [read_number(number) for number in NUMBER.findall(formula)]
            self.assertEqual(half_up(numbers[0], 2), numbers[-1], formula)
            return numbers[-1]
        left, rest = formula.split(" = ")
        numbers = [read_number(number) for number in NUMBER.findall(rest)]
        exact, computed = numbers[0], read_sum(left)
        decimals = max(-exact.as_tuple().exponent, 0)
        if "÷" in left and "×" not in left:
            self.assertEqual(half_up(computed, 9), exact, formula)
        else:
            self.assertEqual(computed, exact, formula)
        if last_fraction is not None and "×" in left and "÷" not in left:
            self.assertEqual(read_number(left.split(" ")[-1]), last_fraction, formula)
        if len(numbers) == 1:
            return exact
        self.assertGreater(decimals, 2, "nothing to round")
        self.assertEqual(half_up(exact, 2), numbers[1], formula)
        return numbers[1]

    def read_last(self, text):
        numbers = NUMBER.findall(text)
        return read_number(numbers[-1]) if numbers else None

    def codes(self, charge):
        return [step["code"] for step in self.explain(charge)["steps"]]

    def labels(self, charge, **options):
        return [step["label"] for step in self.explain(charge, **options)["steps"]]

    def formulas(self, charge, **options):
        steps = self.explain(charge, **options)["steps"]
        return [step["formula"] for step in steps if step["formula"]]

    def charges_of(self, subscription, **values):
        """Charges whose fields have these values, in the order they were made."""
        return subscription.charge_ids.sorted("id").filtered(
            lambda c: all(c[name] == value for name, value in values.items())
        )

    def bill_on(self, subscription, day, hour="06:00:00"):
        """Bill what is due on ``day``, which it is."""
        with self.at(f"{day} {hour}"):
            day = subscription.company_id._get_isp_today()
            return subscription._bill(day, day)

    def change_plan(self):
        """A subscription whose plan changed in the middle of a month that was billed."""
        subscription = self.create_subscription()
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-15 06:00:00"):
            subscription._change_plan(self.plan_office, fields.Date.to_date("2027-03-15"))
        self.bill_on(subscription, "2027-03-15")
        return subscription
