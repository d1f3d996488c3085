"""What identifies a row of a provider's file, within the file and in the system."""

from .problems import Problem


def customer_reference(parsed):
    """External id of the customer; a contact without service may use the subscription's."""
    values = parsed.values
    return values.get("customer_ref") or (
        None if parsed.has_service else values.get("external_ref")
    )


def customer_key(parsed):
    """What identifies the customer of a row, ``None`` when nothing does.

    The customer's external id, else the phone number. Where the subscription has an identity of its
    own, several people may share a phone, so their names have to be equal, too.
    """
    values = parsed.values
    if reference := customer_reference(parsed):
        return ("reference", reference)
    if phone := values.get("phone"):
        if has_own_identity(parsed):
            return ("phone and name", phone, fold_name(values.get("customer_name", "")))
        return ("phone", phone)
    return None


def has_own_identity(parsed):
    """Whether the subscription is found without its customer."""
    return parsed.has_service and bool(
        parsed.values.get("external_ref") or parsed.values.get("username")
    )


def fold_name(name):
    """A name without differences of case and blanks."""
    return " ".join(name.casefold().split())


def find_duplicates(parsed, seen):
    """Compare a row with the earlier ones of its file.

    A row that repeats the identity of another one gets a problem. One that only has the same
    customer is told so: the customer's details are those of the first row.

    :param seen: :class:`seen.SeenKeys` of the file
    """
    key = customer_key(parsed)
    if not key and not has_own_identity(parsed):
        parsed.problems.append(Problem("no_identity"))
        return
    for what, value, unique in _unique_keys(parsed, key):
        if line := seen.first_line(unique, parsed.number):
            parsed.problems.append(Problem("duplicate", line=line, what=what, value=value))
            return
    parsed.is_customer_repeated = bool(key and seen.first_line(("customer", *key), parsed.number))


def _unique_keys(parsed, key):
    """``[(what, value, key)]`` that no two rows of a file may share."""
    if not parsed.has_service:
        return [(key[0], key[1], ("contact", *key))]
    values = parsed.values
    keys = [
        (name, values[name], (name, values[name]))
        for name in ("external_ref", "username")
        if values.get(name)
    ]
    return keys or [(key[0], key[1], ("plan", values.get("plan", "").casefold(), *key))]
