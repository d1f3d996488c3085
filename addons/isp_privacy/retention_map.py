"""Retention in the data map: from when the time of a record is counted, and what goes then.

Models say it beside their data, as plain class attributes::

    _privacy_retention = {"anchor": "date_stop", "begin": "date_start"}
    _privacy_retention = {"anchor": "message_id.date", "domain": [("state", "=", "sent")]}
    _privacy_retention = {"never": "The wish for no messages does not end."}
    _privacy_account = {"closed": [("state", "=", "terminated")], "date": "date_end"}

* ``anchor``: field, or path to it, with the day or moment from which the time of the record is
  counted. While it is empty the record stays.
* ``begin``: when what the record tells of began, if that is not the anchor; a hold on a span of time
  touches it too.
* ``company``: field, or path to it, with the record's company, unless it is ``company_id``. Of records without a
  company the profile counts that keeps them longest.
* ``domain``: for which records of the model it holds.
* ``never``: instead of all of these, why no purge touches the model.
* ``_privacy_account``: which records of a model are closed accounts, and the field with the day. The
  person's time begins when all accounts are closed, and one that is opened again stops it.

Where the ORM cannot delete records, the model defines ``_privacy_delete(self)``, and where it
refuses to be written ``_privacy_empty(self, vals)``. One that can drop many rows as a whole also
defines ``_privacy_drop(self, free, due)``: it drops those parts that begin on the day ``due`` or
before, and in which no day is later than ``free``, up to which no law asks for anything. It returns
about how many rows went.

At the end of its time a field gets what erasure would do to it, and ``keep`` stays.
"""

from . import catalogue

KEYS = {"anchor", "begin", "company", "domain", "never"}
ACCOUNT_KEYS = {"closed", "date"}
MOMENTS = ("date", "datetime")
TIMED = catalogue.codes(catalogue.RULED_CLASSES)


def actions(model_map):
    """Return ``{retention class: {field: erasure action}}`` of what a purge does to a model.

    Where whole records are deleted there is one class, and its fields are those that would be.
    """
    if model_map.cls._abstract or model_map.cls._transient:
        return {}
    found = {}
    for name, spec in model_map.specs.items():
        field = model_map.cls._fields.get(name)
        if field is None or not (model_map.deletes or _is_stored(field)):
            continue
        if spec.get("erasure") != "keep" and spec.get("retention") in TIMED:
            found.setdefault(spec["retention"], {})[name] = spec["erasure"]
    if model_map.deletes and found:
        own = model_map.defaults.get("retention")
        return {own: found[own]} if own in found else {}
    return found


def _is_stored(field):
    """Whether a value is there to be emptied; that of an encrypted field is beside it."""
    return bool(field.store or getattr(field, "enc_field", None))


def problems(registry, model_map):
    """Yield what is wrong with what a model says about its retention."""
    said = model_map.retention
    if said is None:
        if actions(model_map):
            yield "it does not say from when its time is counted (_privacy_retention)"
    else:
        yield from (f"retention: “{key}” means nothing" for key in sorted(set(said) - KEYS))
        if ("anchor" in said) == bool(said.get("never")):
            yield "retention: say either the anchor or why it never ends"
        for key in ("anchor", "begin"):
            if key in said and not _is_moment(registry, model_map.cls, said[key]):
                yield f"retention: {said[key]} leads to no date"
        if "company" in said and field_at(registry, model_map.cls, said["company"]) is None:
            yield f"retention: there is no field {said['company']}"
        if "anchor" in said and _needs_delete(model_map):
            yield "retention: the ORM cannot delete its records, so define _privacy_delete"
    if model_map.account is not None:
        if set(model_map.account) != ACCOUNT_KEYS:
            yield "account: say when it is closed, and the field with the date"
        elif not _is_moment(registry, model_map.cls, model_map.account["date"]):
            yield f"account: {model_map.account['date']} is no date"


def _needs_delete(model_map):
    cls = model_map.cls
    return model_map.deletes and not getattr(cls, "_auto", True) and not _has_delete(cls)


def _has_delete(cls):
    return hasattr(cls, "_privacy_delete")


def field_at(registry, cls, path):
    """Return the field at the end of a path, None where there is none."""
    field = None
    for name in path.split("."):
        field = cls._fields.get(name) if cls is not None else None
        if field is None:
            return None
        cls = registry.get(field.comodel_name)
    return field


def _is_moment(registry, cls, path):
    field = field_at(registry, cls, path)
    return field is not None and field.type in MOMENTS
