"""Errors of one record in a batch, in words for the person who reads the list."""

import psycopg2

from odoo.exceptions import UserError

from .engine.problems import Problem


def explain_error(env, error):
    """``error`` in words; never the text of the database, which holds values of the row."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, Problem):
        # Imported late: the words are loaded with the models, this file before them.
        from .models.isp_billing_reasons import explain_problem

        return explain_problem(env, error)
    if isinstance(error, psycopg2.IntegrityError):
        for model in env.registry.values():
            # Only of constraints that a model declares; Odoo shows the others as they are.
            if error.diag.constraint_name in model._table_objects and not model._abstract:
                return env[model._name]._sql_error_to_message(error)
    return env._("A value cannot be stored. The server's log names it.")
