"""The data map: what personal data each field of each model holds, and what becomes of it.

Models declare it beside their fields, as plain class attributes that need no import::

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "network", "purpose": "network", "retention": "network"}
    _privacy_fields = {
        "username ip_address": {"erasure": "pseudonymise"},
        "note": {"category": "free_text", "erasure": "null", "export": "remark"},
        "user_id": "staff",
    }
    _privacy_facts = "date_start date_stop"
    _privacy_free = {"Names of our own routers.": "nas_name"}

* ``_privacy_subject``: path, or paths, from the record to ``res.partner``; ``"id"`` on the partner
  itself; ``"message_id.*"`` for the subjects of the record a field links to; ``"model/res_id"`` for
  those of the document that two fields name; ``"email=email_normalized"`` where only a value equals
  one of the partner; None when nothing leads to a person.
* ``_privacy_fields``: fields with personal data, by names separated by blanks; each with what
  differs from ``_privacy_defaults``, or with the name of a preset of ``catalogue.PRESETS``.
  ``reason`` must say why something is kept, ``basis`` differs from the purpose's own, ``export`` is
  the name in an export, False leaves it out.
* ``_privacy_defaults``: what fields do not say. ``"erasure": "delete"`` there means that whole
  records are deleted, and then goes for every field.
* ``_privacy_facts``: dates, amounts and states that an export shows with the record. They identify
  nobody once the mapped fields are dealt with, so nothing is erased in them.
* ``_privacy_free``: fields without personal data by the reason, or one reason for the whole model.
  The latter never covers fields that point at people or whose name speaks of them.
* ``_privacy_retention``: from when its time is counted; see ``retention_map``. ``_privacy_account``:
  when a record that is somebody's account counts as closed; see there too.
* ``_privacy_tables``: what of the database no field stores and the model answers for, tables of
  other schemas as ``schema.table`` or single columns as ``table.column``, each with how erasure
  reaches it.

An addon that extends a model declares the fields it adds, and the declarations of all addons are
put together. Stock models are declared in ``stock_map``, by the module that defines the fields.

This file knows no database: it reads the classes of a registry.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from . import catalogue, retention_map, rules

PARTNER = "res.partner"
WHOLE_SPEC = ("category", "purpose", "retention", "erasure")
SPEC_KEYS = {*WHOLE_SPEC, "basis", "reason", "export"}
ATTRIBUTES = (
    *("subject", "defaults", "fields", "facts", "free", "tables"),
    *("retention", "account"),
)
FACT_REASON = "Says nothing of a person once the fields that identify one are dealt with."
VOCABULARY = {
    "category": catalogue.codes(catalogue.CATEGORIES),
    "basis": catalogue.codes(catalogue.LAWFUL_BASES),
    "retention": catalogue.codes(catalogue.RETENTION_CLASSES),
    "erasure": catalogue.codes(catalogue.ERASURE_ACTIONS),
}


@dataclass(frozen=True)
class Entry:
    """What is known of one field."""

    model: str
    field: str
    status: str
    reason: str = ""
    subject: tuple = ()
    category: str = ""
    purpose: str = ""
    basis: str = ""
    retention: str = ""
    erasure: str = ""
    export: str = ""


class Declaration:
    """What one class, or one entry of the stock map, says about a model."""

    def __init__(self, owner, values):
        self.owner = owner
        self.says_subject = "subject" in values
        self.subject = values.get("subject")
        self.defaults = values.get("defaults", {})
        self.fields = spread(values.get("fields", {}))
        self.facts = values.get("facts", "").split()
        free = values.get("free", {})
        self.free_model = free if isinstance(free, str) else None
        self.free = {} if self.free_model else spread({names: why for why, names in free.items()})
        self.tables = values.get("tables", {})
        self.retention, self.account = values.get("retention"), values.get("account")


def spread(by_names):
    """Return ``{name: value}`` of ``{"name name": value}``."""
    return {name: value for names, value in by_names.items() for name in names.split()}


def collect(model_class, stock):
    """Return the declarations about a model, those that override others last.

    :param stock: ``{model: [values]}``, what the stock map says
    """
    found = []
    bases = list(reversed(model_class.__mro__))
    for base in bases:
        if "pool" in vars(base):  # the class of a model in the registry, not a definition of it
            found += [Declaration(base._name, values) for values in stock.get(base._name, ())]
    for base in bases:
        values = {
            name: vars(base)[f"_privacy_{name}"]
            for name in ATTRIBUTES
            if f"_privacy_{name}" in vars(base)
        }
        if values:
            found.append(Declaration(base._name, values))
    return found


class ModelMap:
    """What all declarations together say about one model."""

    def __init__(self, model_class, declarations):
        self.cls = model_class
        self.name = model_class._name
        self.declarations = declarations
        self.defaults = {}
        self.specs, self.facts, self.free, self.tables = {}, {}, {}, {}
        self.free_model, self.subject, self.says_subject = None, (), False
        self.retention, self.account = None, None
        for declaration in declarations:
            self._add(declaration)
        self.deletes = self.defaults.get("erasure") == "delete"
        for name, (declaration, spec) in self.specs.items():
            self.specs[name] = self._whole_spec(declaration, spec)

    def _add(self, declaration):
        """Let a declaration add to, and override, those before."""
        self.defaults.update(declaration.defaults)
        self.free_model = declaration.free_model or self.free_model
        self.tables.update(declaration.tables)
        self.retention = declaration.retention or self.retention
        self.account = declaration.account or self.account
        if declaration.says_subject:
            self.says_subject = True
            self.subject = paths_of(declaration.subject)
        for target, names in (
            (self.specs, {name: (declaration, spec) for name, spec in declaration.fields.items()}),
            (self.facts, dict.fromkeys(declaration.facts, FACT_REASON)),
            (self.free, declaration.free),
        ):
            for name, value in names.items():
                for other in (self.specs, self.facts, self.free):
                    other.pop(name, None)
                target[name] = value

    def _whole_spec(self, declaration, spec):
        """Add to what a field says what it does not."""
        if isinstance(spec, str):
            spec = catalogue.PRESETS.get(spec, {"preset": spec})
        spec = {**self.defaults, **declaration.defaults, **spec}
        return {**spec, "erasure": "delete"} if self.deletes else spec


def paths_of(subject):
    """Return the paths of a ``_privacy_subject``."""
    if not subject:
        return ()
    return (subject,) if isinstance(subject, str) else tuple(subject)


class DataMap:
    """The map of one registry.

    :param registry: ``{model: class}``, as Odoo's registry
    :param purposes: ``{code: lawful basis}``
    :param stock: ``{module: {model: [values]}}``, the stock map
    :param modules: names of the installed modules
    """

    def __init__(self, registry, purposes, stock, modules):
        self.registry = registry
        self.purposes = purposes
        by_model = {}
        for module, models in stock.items():
            if module in modules:
                for model, values in models.items():
                    by_model.setdefault(model, []).extend(values)
        self._unknown_models = sorted(set(by_model) - set(registry))
        self.models = {
            name: ModelMap(cls, collect(cls, by_model)) for name, cls in sorted(registry.items())
        }

    # === ANSWERS === #

    def entries(self, model):
        """Return what is mapped of a model: personal data and the facts beside it."""
        model_map = self.models[model]
        mapped = [self._entry(model_map, name, spec) for name, spec in model_map.specs.items()]
        facts = [self._fact(model_map, name, why) for name, why in model_map.facts.items()]
        return mapped + facts

    def entry(self, model, field):
        """Return what is mapped of a field, None when nothing is."""
        return next((entry for entry in self.entries(model) if entry.field == field), None)

    def subject_models(self):
        """Return ``{model: paths}`` of the models whose records belong to somebody."""
        return {
            name: model_map.subject
            for name, model_map in self.models.items()
            if model_map.subject
            and (model_map.specs or model_map.facts)
            and not model_map.cls._abstract
        }

    @cached_property
    def documents(self):
        """``{model: paths}`` of the models to which other things belong, such as attachments.

        What belongs to something else itself is no document; a view has no attachments.
        """
        return {
            name: paths
            for name, paths in self.subject_models().items()
            if self.registry[name]._auto and not any(re.search(r"/|\.\*$", path) for path in paths)
        }

    def purged_models(self):
        """Return ``{model: {retention class: {field: erasure action}}}`` of what goes in time."""
        found = {name: retention_map.actions(model) for name, model in self.models.items()}
        return {
            name: actions
            for name, actions in found.items()
            if actions and "anchor" in (self.models[name].retention or {})
        }

    def coverage(self, tables):
        """Return an entry for each field that could hold personal data, and for all mapped ones.

        :param tables: names of the tables of the database; views hold nothing themselves
        """
        return [
            entry
            for model_map in self.models.values()
            if not model_map.cls._abstract
            for entry in self._model_coverage(model_map, model_map.cls._table in tables)
        ]

    def unclaimed_columns(self, columns):
        """Return those of the ``(table, column)`` of a database for which no model answers.

        These are columns that no field stores, and tables outside the ORM.
        """
        answered = self.answered_for()
        claimed = set()
        for model_map in self.models.values():
            names = {*model_map.specs, *model_map.facts, *model_map.free}
            names |= {name for name, field in model_map.cls._fields.items() if field.store}
            claimed |= {(model_map.cls._table, name) for name in names}
        return sorted(
            (table, column)
            for table, column in set(columns) - claimed
            if table not in answered and f"{table}.{column}" not in answered
        )

    def answered_for(self):
        """Return the tables and columns without a field for which models answer."""
        return {name for model_map in self.models.values() for name in model_map.tables}

    def _model_coverage(self, model_map, has_table):
        found = self.entries(model_map.name)
        known = {entry.field for entry in found}
        for name, field in sorted(model_map.cls._fields.items()):
            if has_table and name not in known and rules.may_hold_personal_data(field):
                status, reason = self._status(model_map, field)
                found.append(Entry(model_map.name, name, status, reason))
        return found

    def _status(self, model_map, field):
        """Return why a field that is not mapped needs not be, or that nobody said anything."""
        if field.name in model_map.free:
            return "free", model_map.free[field.name]
        if reason := rules.reason_for(model_map.cls, field, model_map.specs):
            return "rule", reason
        if model_map.free_model and not rules.speaks_of_people(field):
            return "free", model_map.free_model
        return "gap", ""

    def _entry(self, model_map, name, spec):
        export = spec.get("export", name)
        return Entry(
            model=model_map.name,
            field=name,
            status="mapped",
            subject=model_map.subject,
            basis=spec.get("basis") or self.purposes.get(spec.get("purpose"), ""),
            export=export or "",
            reason=spec.get("reason", ""),
            **{key: spec.get(key, "") for key in WHOLE_SPEC},
        )

    def _fact(self, model_map, name, reason):
        spec = {
            key: model_map.defaults.get(key, "") for key in ("category", "purpose", "retention")
        }
        return Entry(
            model=model_map.name,
            field=name,
            status="fact",
            reason=reason,
            subject=model_map.subject,
            basis=model_map.defaults.get("basis") or self.purposes.get(spec["purpose"], ""),
            erasure="delete" if model_map.deletes else "keep",
            export=name,
            **spec,
        )

    # === VALIDATION === #

    def problems(self):
        """Return what is wrong with the declarations, as sentences."""
        found = [f"{name}: there is no such model" for name in self._unknown_models]
        for name, model_map in self.models.items():
            found += [f"{name}: {problem}" for problem in self._model_problems(model_map)]
        return found

    def _model_problems(self, model_map):
        yield from self._contradictions(model_map)
        yield from self._name_problems(model_map)
        for name, spec in model_map.specs.items():
            field = model_map.cls._fields.get(name)
            yield from (f"{name}: {problem}" for problem in self._spec_problems(spec, field))
        if model_map.cls._abstract:  # a mixin speaks for fields only, its heirs for the rest
            return
        if (model_map.specs or model_map.facts) and not model_map.says_subject:
            yield "it does not say whose data it holds (_privacy_subject, None for nobody's)"
        for path in model_map.subject:
            if problem := self._path_problem(model_map.cls, path):
                yield f"subject {path}: {problem}"
        for name, spec in model_map.specs.items():
            if spec.get("erasure") == "delete" and not model_map.deletes:
                yield f"{name}: delete goes for whole records, so say it in _privacy_defaults"
        yield from retention_map.problems(self.registry, model_map)

    def _contradictions(self, model_map):
        """Two declarations about one model must not disagree on what a field is."""
        kinds = {}
        for declaration in model_map.declarations:
            if declaration.owner != model_map.name:
                continue
            for kind in ("fields", "facts", "free"):
                for name in getattr(declaration, kind):
                    kinds.setdefault(name, set()).add(kind)
            for name, spec in declaration.fields.items():
                own = "delete" if isinstance(spec, str) else spec.get("erasure", "delete")
                if model_map.deletes and own != "delete":
                    yield f"{name}: {own} is in vain, for the whole record is deleted"
        for name, said in kinds.items():
            if len(said) > 1:
                yield f"{name}: it is declared as {' and as '.join(sorted(said))}"

    def _name_problems(self, model_map):
        for name in [*model_map.specs, *model_map.facts, *model_map.free]:
            if name not in model_map.cls._fields:
                yield f"{name}: there is no such field"
        for name, reason in model_map.free.items():
            if not reason.strip():
                yield f"{name}: it is free of personal data without a reason"
        exported = [spec.get("export", name) or name for name, spec in model_map.specs.items()]
        for name in sorted({name for name in exported if exported.count(name) > 1}):
            yield f"two fields are exported as {name}"

    def _spec_problems(self, spec, field):
        for key in sorted(set(spec) - SPEC_KEYS):
            yield f"“{key}” means nothing"
        for key in WHOLE_SPEC:
            if not spec.get(key):
                yield f"no {key}"
        for key, allowed in {**VOCABULARY, "purpose": self.purposes}.items():
            if spec.get(key) and spec[key] not in allowed:
                yield f"unknown {key} “{spec[key]}”"
        if spec.get("erasure") == "keep" and not spec.get("reason"):
            yield "kept without a reason"
        if field is not None:
            yield from field_problems(spec.get("erasure"), field)

    def _path_problem(self, cls, path):
        if path == "id":
            return None if cls._name == PARTNER else f"only {PARTNER} is its own subject"
        if "/" in path:
            return self._missing(*((name, cls) for name in path.split("/")))
        if "=" in path:
            own, theirs = path.split("=")
            return self._missing((own, cls), (theirs, self.registry[PARTNER]))
        for name in path.removesuffix(".*").split("."):
            field = cls._fields.get(name)
            if field is None:
                return self._missing((name, cls))
            if not field.comodel_name or field.comodel_name not in self.registry:
                return f"{name} of {cls._name} leads nowhere"
            cls = self.registry[field.comodel_name]
        if path.endswith(".*"):
            return None if self.models[cls._name].subject else f"{cls._name} has no subject"
        return None if cls._name == PARTNER else f"it leads to {cls._name}, not to {PARTNER}"

    def _missing(self, *fields):
        """Return which of the ``(name, class)`` does not exist, None if all do."""
        for name, cls in fields:
            if name not in cls._fields:
                return f"there is no field {name} on {cls._name}"
        return None


def field_problems(erasure, field):
    """Yield why an erasure action cannot be carried out on a field."""
    relational = field.type in ("many2one", "many2many")
    if erasure in ("null", "detach") and field.required:
        yield f"it is required, so erasure cannot {erasure} it"
    if erasure == "detach" and not relational:
        yield "only a relation can be detached"
    if erasure in ("mask", "pseudonymise") and not re.match("char|text|html", field.type):
        yield f"a field of type {field.type} has no place for a text to {erasure} it"
