"""The data map on a small registry of our own: what it collects, and what it refuses."""

from odoo.tests import BaseCase, tagged

from ..datamap import DataMap

PURPOSES = {"service": "contract", "staff": "contract", "books": "legal_obligation"}
WHOLE = {"category": "contact", "purpose": "service", "retention": "account", "erasure": "null"}


class FakeField:
    """As much of a field as the map reads."""

    def __init__(self, field_type="char", comodel=None, **values):
        self.type = field_type
        self.comodel_name = comodel
        self.store = True
        self.required = False
        self.related = None
        self.related_field = None
        self.__dict__.update(values)


def make_model(name, fields, *definitions, parents=(), **values):
    """Return a model class of a registry, made of definitions as ``{attribute: value}``."""
    bases = [
        type("Definition", (), {"_name": name, **attributes})
        for attributes in reversed(definitions)
    ]
    for field_name, field in fields.items():
        field.name = field_name
    defaults = {
        "pool": None,
        "_name": name,
        "_table": name.replace(".", "_"),
        "_abstract": False,
        "_transient": False,
        "_fields": fields,
    }
    return type("Model", (*bases, *parents), defaults | values)


def partner_model(*definitions):
    return make_model("res.partner", {"name": FakeField(), "email": FakeField()}, *definitions)


PARTNER_DEFINITION = {"_privacy_subject": "id", "_privacy_fields": {"name email": WHOLE}}


@tagged("post_install", "-at_install")
class TestDataMap(BaseCase):
    def map_of(self, *models, stock=None, modules=("base",)):
        registry = {model._name: model for model in models}
        registry.setdefault("res.partner", partner_model(PARTNER_DEFINITION))
        return DataMap(registry, PURPOSES, stock or {}, modules)

    def statuses(self, datamap, model):
        tables = {"x_note", "x_order", "res_partner"}
        return {e.field: e.status for e in datamap.coverage(tables) if e.model == model}

    def order(self, attributes, **fields):
        fields = {"partner_id": FakeField("many2one", "res.partner"), **fields}
        return make_model("x.order", fields, attributes)

    # === COLLECTING === #

    def test_what_a_field_does_not_say_comes_from_the_defaults_of_the_model(self):
        order = self.order(
            {
                "_privacy_subject": "partner_id",
                "_privacy_defaults": WHOLE,
                "_privacy_fields": {"partner_id": "subject", "note": {"erasure": "mask"}},
                "_privacy_facts": "amount",
            },
            note=FakeField("text"),
            amount=FakeField("monetary"),
        )
        datamap = self.map_of(order)
        self.assertEqual(datamap.problems(), [])
        note = datamap.entry("x.order", "note")
        self.assertEqual((note.category, note.erasure), ("contact", "mask"))
        self.assertEqual((note.basis, note.subject), ("contract", ("partner_id",)))
        self.assertEqual(note.export, "note")
        self.assertEqual(datamap.entry("x.order", "partner_id").erasure, "keep")
        self.assertEqual(datamap.entry("x.order", "amount").status, "fact")
        self.assertIsNone(datamap.entry("x.order", "other"))
        self.assertEqual(datamap.subject_models()["x.order"], ("partner_id",))

    def test_an_addon_adds_the_fields_it_adds(self):
        extended = make_model(
            "res.partner",
            {"name": FakeField(), "email": FakeField(), "nickname": FakeField()},
            PARTNER_DEFINITION | {"_privacy_defaults": WHOLE},
            {"_privacy_fields": {"nickname": {"erasure": "mask", "export": False}}},
        )
        datamap = self.map_of(extended)
        self.assertEqual(datamap.problems(), [])
        self.assertEqual(len(datamap.entries("res.partner")), 3)
        nickname = datamap.entry("res.partner", "nickname")
        self.assertEqual((nickname.category, nickname.erasure), ("contact", "mask"))
        self.assertEqual(nickname.export, "")

    def test_a_mixin_speaks_for_its_heirs_until_one_disagrees(self):
        mixin = make_model(
            "x.mixin",
            {"token": FakeField()},
            {"_privacy_fields": {"token": {**WHOLE, "category": "credential"}}},
            _abstract=True,
        )
        heir = make_model(
            "x.note", {"token": FakeField()}, {"_privacy_subject": None}, parents=(mixin,)
        )
        other = make_model(
            "x.order",
            {"token": FakeField()},
            {"_privacy_free": {"It opens nothing.": "token"}},
            parents=(mixin,),
        )
        datamap = self.map_of(mixin, heir, other)
        self.assertEqual(datamap.problems(), [])
        self.assertEqual(self.statuses(datamap, "x.note"), {"token": "mapped"})
        self.assertEqual(self.statuses(datamap, "x.order"), {"token": "free"})

    def test_the_stock_map_counts_for_installed_modules_only(self):
        stock = {
            "base": {"res.partner": [{"subject": "id", "fields": {"name email": WHOLE}}]},
            "absent": {"x.absent": [{"free": "It is not there."}]},
        }
        datamap = self.map_of(partner_model(), stock=stock)
        self.assertEqual(datamap.problems(), [])
        self.assertEqual(len(datamap.entries("res.partner")), 2)
        datamap = self.map_of(partner_model(), stock=stock, modules=("base", "absent"))
        self.assertEqual(datamap.problems(), ["x.absent: there is no such model"])

    def test_a_model_that_is_deleted_is_deleted_with_all_fields(self):
        order = self.order(
            {
                "_privacy_subject": "partner_id",
                "_privacy_defaults": {**WHOLE, "erasure": "delete"},
                "_privacy_fields": {"partner_id": "subject", "note": {}},
            },
            note=FakeField("text", required=True),
        )
        datamap = self.map_of(order)
        self.assertEqual(datamap.problems(), [])
        self.assertEqual({e.erasure for e in datamap.entries("x.order")}, {"delete"})

    # === WHAT IS LEFT OUT === #

    def test_a_field_that_nobody_declared_is_a_gap(self):
        for field_type in (
            "char",
            "text",
            "html",
            "json",
            "binary",
            "properties",
            "reference",
            "new",
        ):
            with self.subTest(field_type):
                order = self.order(
                    {"_privacy_fields": {"partner_id": "subject"}}, x=FakeField(field_type)
                )
                self.assertEqual(self.statuses(self.map_of(order), "x.order")["x"], "gap")

    def test_numbers_and_dates_are_gaps_if_their_name_speaks_of_a_person(self):
        order = self.order(
            {},
            amount=FakeField("float"),
            birth_date=FakeField("date"),
            place_latitude=FakeField("float"),
            gender=FakeField("selection"),
        )
        statuses = self.statuses(self.map_of(order), "x.order")
        self.assertEqual(
            statuses,
            dict.fromkeys(("birth_date", "place_latitude", "gender", "partner_id"), "gap"),
        )

    def test_a_free_model_does_not_swallow_people(self):
        note = make_model(
            "x.note",
            {
                "name": FakeField(),
                "customer_phone": FakeField(),
                "author_id": FakeField("many2one", "res.users"),
                "partner_ids": FakeField("many2many", "res.partner"),
                "birth_date": FakeField("date"),
            },
            {"_privacy_free": "Texts of the operator."},
        )
        self.assertEqual(
            self.statuses(self.map_of(note), "x.note"),
            {
                "name": "free",
                "customer_phone": "gap",
                "author_id": "gap",
                "partner_ids": "gap",
                "birth_date": "gap",
            },
        )

    def test_rules_answer_for_copies_and_scratch_records(self):
        stored, computed = FakeField(), FakeField(store=False)
        note = make_model(
            "x.note",
            {
                "create_uid": FakeField("many2one", "res.users"),
                "parent_path": FakeField(),
                "copy": FakeField(related="a.b", related_field=stored),
                "kept": FakeField(related="a.c", related_field=computed),
            },
        )
        self.assertEqual(
            self.statuses(self.map_of(note), "x.note"),
            {"create_uid": "rule", "parent_path": "rule", "copy": "rule", "kept": "gap"},
        )
        scratch = make_model(
            "x.note", {"x": FakeField()}, _transient=True, _transient_max_hours=1.0
        )
        self.assertEqual(self.statuses(self.map_of(scratch), "x.note"), {"x": "rule"})
        scratch._transient_max_hours = 0
        self.assertEqual(self.statuses(self.map_of(scratch), "x.note"), {"x": "gap"})

    def test_an_encrypted_field_speaks_for_its_columns(self):
        def fields():
            clear = FakeField(store=False, enc_field="nid_enc", bidx_field="nid_bidx")
            return {"nid": clear, "nid_enc": FakeField(), "nid_bidx": FakeField()}

        mapped = make_model(
            "x.note", fields(), {"_privacy_subject": None, "_privacy_fields": {"nid": WHOLE}}
        )
        self.assertEqual(
            self.statuses(self.map_of(mapped), "x.note"),
            {"nid": "mapped", "nid_enc": "rule", "nid_bidx": "rule"},
        )
        self.assertEqual(
            self.statuses(self.map_of(make_model("x.note", fields())), "x.note"),
            {"nid_enc": "gap", "nid_bidx": "gap"},
        )

    def test_columns_without_a_field_and_tables_without_a_model(self):
        order = self.order(
            {
                "_privacy_tables": {
                    "log.visit": "Deleted each night.",
                    "x_order.key": "Hash of a key, deleted with the order.",
                }
            }
        )
        datamap = self.map_of(order)
        columns = [
            ("log.visit", "ip"),
            ("log.other", "ip"),
            *(("x_order", name) for name in ("partner_id", "key", "old_name")),
        ]
        self.assertEqual(
            datamap.unclaimed_columns(columns), [("log.other", "ip"), ("x_order", "old_name")]
        )

    # === WHAT IS REFUSED === #

    def test_mistakes_are_told(self):
        link = {"partner_id": "subject"}
        whole = {"_privacy_subject": "partner_id", "_privacy_defaults": WHOLE}
        cases = [
            ({"_privacy_fields": {"nothing": {}}}, "nothing: there is no such field"),
            ({"_privacy_facts": "nothing"}, "nothing: there is no such field"),
            ({"_privacy_free": {"Why not.": "nothing"}}, "nothing: there is no such field"),
            (
                {"_privacy_free": {" ": "note"}},
                "note: it is free of personal data without a reason",
            ),
            ({"_privacy_fields": {"note": {"purpose": "x"}}}, "note: unknown purpose “x”"),
            ({"_privacy_fields": {"note": {"category": "x"}}}, "note: unknown category “x”"),
            ({"_privacy_fields": {"note": {"retention": "x"}}}, "note: unknown retention “x”"),
            ({"_privacy_fields": {"note": {"basis": "x"}}}, "note: unknown basis “x”"),
            ({"_privacy_fields": {"note": {"erasure": "x"}}}, "note: unknown erasure “x”"),
            ({"_privacy_fields": {"note": {"erasure": ""}}}, "note: no erasure"),
            ({"_privacy_fields": {"note": "nothing"}}, "note: “preset” means nothing"),
            ({"_privacy_fields": {"note": {"colour": "red"}}}, "note: “colour” means nothing"),
            ({"_privacy_fields": {"note": {"erasure": "keep"}}}, "note: kept without a reason"),
            (
                {"_privacy_fields": {"note": {"erasure": "delete"}}},
                "note: delete goes for whole records, so say it in _privacy_defaults",
            ),
            (
                {
                    "_privacy_defaults": {**WHOLE, "erasure": "delete"},
                    "_privacy_fields": {"note": {"erasure": "null"}, "partner_id": "subject"},
                },
                "note: null is in vain, for the whole record is deleted",
            ),
            (
                {"_privacy_fields": {"must": {}}},
                "must: it is required, so erasure cannot null it",
            ),
            (
                {"_privacy_fields": {"note": {"erasure": "detach"}}},
                "note: only a relation can be detached",
            ),
            (
                {"_privacy_fields": {"partner_id": {"erasure": "mask"}}},
                "partner_id: a field of type many2one has no place for a text to mask it",
            ),
            (
                {"_privacy_fields": {"note": {}}, "_privacy_free": {"Why not.": "note"}},
                "note: it is declared as fields and as free",
            ),
            (
                {"_privacy_fields": {"note must": {"export": "x", "erasure": "mask"}}},
                "two fields are exported as x",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "note"},
                "subject note: note of x.order leads nowhere",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "partner_id.boss_id"},
                "subject partner_id.boss_id: there is no field boss_id on res.partner",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "self_id"},
                "subject self_id: it leads to x.order, not to res.partner",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "id"},
                "subject id: only res.partner is its own subject",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "res_model/res_id"},
                "subject res_model/res_id: there is no field res_model on x.order",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "other_id.*"},
                "subject other_id.*: x.other has no subject",
            ),
            (
                {"_privacy_fields": link, "_privacy_subject": "note=phone"},
                "subject note=phone: there is no field phone on res.partner",
            ),
        ]
        for attributes, problem in cases:
            with self.subTest(problem):
                order = self.order(
                    whole | attributes,
                    note=FakeField("text"),
                    must=FakeField(required=True),
                    self_id=FakeField("many2one", "x.order"),
                    other_id=FakeField("many2one", "x.other"),
                )
                datamap = self.map_of(order, make_model("x.other", {}))
                self.assertIn(f"x.order: {problem}", datamap.problems())

    def test_whose_data_it_is_must_be_said_even_if_it_is_nobodys(self):
        attributes = {"_privacy_fields": {"partner_id": WHOLE | {"erasure": "detach"}}}
        self.assertIn(
            "it does not say whose data", self.map_of(self.order(attributes)).problems()[0]
        )
        order = self.order(attributes | {"_privacy_subject": None})
        self.assertEqual(self.map_of(order).problems(), [])

    # === RETENTION === #

    def log(self, **attributes):
        defaults = {**WHOLE, "retention": "network", "erasure": "delete"}
        return make_model(
            "x.note",
            {
                "partner_id": FakeField("many2one", "res.partner"),
                "text": FakeField("text"),
                "ended": FakeField("datetime"),
                "order_id": FakeField("many2one", "x.order"),
            },
            {
                "_privacy_subject": "partner_id",
                "_privacy_defaults": defaults,
                "_privacy_fields": {"text": {}, "partner_id": "subject"},
                **attributes,
            },
        )

    def retention_problems(self, **attributes):
        order = self.order({"_privacy_free": "x"}, day=FakeField("date"))
        return self.map_of(self.log(**attributes), order).problems()

    def test_data_with_a_time_says_from_when_it_is_counted(self):
        for said, problem in (
            ({}, "x.note: it does not say from when its time is counted (_privacy_retention)"),
            ({"anchor": "text"}, "x.note: retention: text leads to no date"),
            ({"anchor": "gone"}, "x.note: retention: gone leads to no date"),
            ({"anchor": "order_id.gone"}, "x.note: retention: order_id.gone leads to no date"),
            (
                {"anchor": "ended", "never": "Because."},
                "x.note: retention: say either the anchor or why it never ends",
            ),
            (
                {"domain": []},
                "x.note: retention: say either the anchor or why it never ends",
            ),
            ({"anchor": "ended", "since": "x"}, "x.note: retention: “since” means nothing"),
            (
                {"anchor": "ended", "company": "gone"},
                "x.note: retention: there is no field gone",
            ),
        ):
            with self.subTest(said=said):
                attributes = {"_privacy_retention": said} if said else {}
                self.assertEqual(self.retention_problems(**attributes), [problem])
        for said in (
            {"anchor": "ended", "begin": "order_id.day"},
            {"never": "The wish does not end."},
        ):
            with self.subTest(said=said):
                self.assertEqual(self.retention_problems(_privacy_retention=said), [])

    def test_a_view_says_how_its_rows_are_deleted(self):
        log = self.log(_privacy_retention={"anchor": "ended"})
        log._auto = False
        self.assertEqual(
            self.map_of(log, self.order({"_privacy_free": "x"})).problems(),
            ["x.note: retention: the ORM cannot delete its records, so define _privacy_delete"],
        )
        log._privacy_delete = lambda records: None
        self.assertEqual(self.map_of(log, self.order({"_privacy_free": "x"})).problems(), [])

    def test_what_a_purge_does_to_a_model(self):
        note = make_model(
            "x.note",
            {name: FakeField("char") for name in ("number", "words", "bill")}
            | {"ended": FakeField("date")},
            {
                "_privacy_subject": None,
                "_privacy_defaults": {**WHOLE, "retention": "message"},
                "_privacy_fields": {
                    "number": {"erasure": "keep", "reason": "Ours."},
                    "words": {"erasure": "mask"},
                    "bill": {"retention": "tax_doc"},
                },
                "_privacy_retention": {"anchor": "ended"},
            },
        )
        kept = make_model(
            "x.order",
            {"words": FakeField("char")},
            {
                "_privacy_subject": None,
                "_privacy_defaults": {**WHOLE, "retention": "message"},
                "_privacy_fields": {"words": {}},
                "_privacy_retention": {"never": "It is a setting."},
            },
        )
        self.assertEqual(
            self.map_of(note, kept).purged_models(),
            {"x.note": {"message": {"words": "mask"}, "tax_doc": {"bill": "null"}}},
        )
        self.assertEqual(
            self.map_of(self.log(_privacy_retention={"anchor": "ended"}), kept).purged_models(),
            {"x.note": {"network": {"text": "delete", "partner_id": "delete"}}},
        )

    def test_an_account_says_when_it_is_closed(self):
        for said, problems in (
            ({"closed": [], "date": "day"}, []),
            (
                {"closed": []},
                ["x.order: account: say when it is closed, and the field with the date"],
            ),
            ({"closed": [], "date": "amount"}, ["x.order: account: amount is no date"]),
        ):
            with self.subTest(said=said):
                order = self.order(
                    {"_privacy_free": "x", "_privacy_account": said},
                    day=FakeField("date"),
                    amount=FakeField("monetary"),
                )
                self.assertEqual(self.map_of(order).problems(), problems)
