from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..hooks import uninstall_hook
from ..radius import schema
from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestRadiusSchema(IspNetworkCase):
    """The copies that RADIUS reads follow the entitlement within the same transaction."""

    def test_each_state_reaches_radius_at_once(self):
        subscription = self.create_subscription(active=False, username="karim")
        self.assertEqual(self.row(subscription)["access"], "none")
        subscription._activate()
        self.assertEqual(self.row(subscription)["access"], "full")
        subscription._suspend("overdue", "Unpaid")
        self.assertEqual(self.row(subscription)["access"], "walled")
        subscription._resume("Paid")
        self.assertEqual(self.row(subscription)["access"], "full")
        subscription._terminate("Moved away")
        self.assertEqual(self.row(subscription)["access"], "none")

    def test_a_plan_can_refuse_the_suspended(self):
        self.plan_home.suspend_mode = "reject"
        subscription = self.create_subscription()
        subscription._suspend("overdue", "Unpaid")
        self.assertEqual(self.row(subscription)["access"], "none")

    def test_a_new_name_replaces_the_old_one(self):
        subscription = self.create_subscription(username="Karim")
        self.assertEqual(self.row(subscription)["username"], "karim")
        subscription.username = "karim.uddin"
        self.assertEqual(self.row(subscription)["username"], "karim.uddin")
        self.assertFalse(self.check_items("karim"))

    def test_two_subscriptions_exchange_names(self):
        first = self.create_subscription(username="first")
        second = self.create_subscription(username="second")
        self.env.flush_all()
        # In one statement the trigger meets each name while the other row still has it.
        self.env.cr.execute(
            "UPDATE isp_entitlement SET username = CASE username WHEN 'first' THEN 'second' "
            "ELSE 'first' END WHERE subscription_id IN %s",
            [(first.id, second.id)],
        )
        self.assertEqual(self.row(first)["username"], "second")
        self.assertEqual(self.row(second)["username"], "first")
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_one_name_never_belongs_to_two_live_logins(self):
        self.create_subscription(username="first")
        self.create_subscription(username="second")
        self.env.flush_all()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            with self.env.cr.savepoint():
                self.env.cr.execute("UPDATE isp_entitlement SET username = 'first'")
                self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @proves("P-13")
    def test_a_new_password_reaches_radius_encrypted(self):
        subscription = self.create_subscription(username="karim")
        self.use_key()
        before = self.row(subscription)["nt_secret"]
        subscription.password = "password"
        after = self.row(subscription)["nt_secret"]
        self.assertNotEqual(before, after)
        nt_hash_of_password = "8846f7eaee8fb117ad06bdd830b7586c"
        self.assertNotIn(nt_hash_of_password, after.lower())
        self.assertEqual(self.check_items("karim")["NT-Password"].lower(), nt_hash_of_password)

    def test_a_plan_change_of_speed_reaches_every_login(self):
        subscription = self.create_subscription()
        self.plan_home.write({"download_kbps": 40960, "framed_pool": "pool-b"})
        row = self.row(subscription)
        self.assertEqual((row["download_kbps"], row["framed_pool"]), (40960, "pool-b"))

    def test_a_deleted_subscription_is_forgotten(self):
        subscription = self.create_subscription(active=False, username="karim")
        self.assertTrue(self.row(subscription))
        subscription.unlink()
        self.assertIsNone(self.row(subscription))

    def test_a_rollback_leaves_nothing(self):
        subscription = self.create_subscription(username="karim")
        self.assertEqual(self.row(subscription)["access"], "full")
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            subscription._suspend("overdue", "Unpaid")
            self.assertEqual(self.row(subscription)["access"], "walled")
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertEqual(self.row(subscription)["access"], "full")

    def test_writes_that_change_nothing_leave_the_row_alone(self):
        subscription = self.create_subscription()
        self.row(subscription)
        self.env.cr.execute(
            "SELECT ctid FROM radius.login WHERE subscription_id = %s", [subscription.id]
        )
        before = self.env.cr.fetchone()
        self.env.cr.execute("UPDATE isp_entitlement SET write_date = now()")
        self.env.cr.execute(
            "SELECT ctid FROM radius.login WHERE subscription_id = %s", [subscription.id]
        )
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_the_daily_comparison_finds_and_repairs_damage(self):
        subscription = self.create_subscription()
        radius = self.env["isp.radius"]
        self.row(subscription)
        with self.assertNoLogs("odoo.addons.isp_network.models.isp_radius", "ERROR"):
            radius._cron_resync()
        subscription._suspend("overdue", "Unpaid")
        wanted = self.row(subscription)
        for damage in (
            "DELETE FROM radius.login",
            "UPDATE radius.login SET access = 'full', download_kbps = 1",
            "INSERT INTO radius.login (id, subscription_id, username, access)"
            " VALUES (0, 0, 'ghost', 'full')",
            "INSERT INTO radius.client (id, ip_address, secret, require_ma)"
            " VALUES (0, '10.9.9.9', '00', false)",
        ):
            with self.subTest(damage):
                self.env.cr.execute(damage)
                with self.assertLogs("odoo.addons.isp_network.models.isp_radius", "ERROR"):
                    radius._cron_resync()
                self.assertEqual(self.row(subscription), wanted)
        self.env.cr.execute("SELECT count(*) FROM radius.login WHERE id = 0")
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    # === RIGHTS === #

    def _allowed(self, function, *args):
        placeholders = ", ".join(["%s"] * (len(args) + 1))
        self.env.cr.execute(f"SELECT {function}({placeholders})", [schema.ROLE, *args])
        return self.env.cr.fetchone()[0]

    def test_the_role_of_freeradius_can_do_its_work_and_nothing_else(self):
        self.env.cr.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [schema.ROLE])
        self.assertTrue(self.env.cr.fetchone(), "scripts/bootstrap creates the role")
        functions = {
            "radius.login_items(text, text)": True,
            "radius.other_sessions(text, int, text, int)": True,
            "radius.claim(text, text, text)": True,
            "radius.record_login(text, text, text, text, text, text, text, text, text)": True,
            "radius.record_accept(text, text, int, text, text, text, inet)": True,
            "radius.account_start(radius.packet)": True,
            "radius.account_plain_start(text, text, text, text, inet, text, text, text, text, text,"
            " text, text, text, text, text, text, text, text, text, text, bigint)": True,
            "radius.account_plain_stop(text, bigint, bigint, bigint, bigint, bigint, bigint, text,"
            " text, text)": True,
            "radius.account_interim(text, bigint, bigint, bigint, bigint, bigint, bigint, text,"
            " text, text)": True,
            "radius.account_report(radius.packet, boolean)": True,
            "radius.account_reboot(inet, text, timestamptz)": True,
            "radius.find_nas(text)": True,
            "radius.check_items(text, text)": False,
            "radius.reply_items(text, text)": False,
            "radius.find_login(text, text)": False,
            "radius.subscription_of(text)": False,
            "radius.unseal(text)": False,
            "radius.resync()": False,
            "radius.close_stale(interval)": False,
            "radius.desired_logins()": False,
            "radius.grant_access(name)": False,
        }
        for name, allowed in functions.items():
            with self.subTest(name):
                self.assertEqual(self._allowed("has_function_privilege", name, "EXECUTE"), allowed)
        tables = {
            ("radius.radacct", "SELECT"): False,
            ("radius.radacct", "INSERT"): False,
            ("radius.radacct", "UPDATE"): False,
            ("radius.radacct", "DELETE"): False,
            ("radius.radpostauth", "INSERT"): False,
            ("radius.radpostauth", "SELECT"): False,
            ("radius.login", "SELECT"): False,
            ("radius.client", "SELECT"): False,
            ("public.res_partner", "SELECT"): False,
            ("public.isp_entitlement", "SELECT"): False,
            ("public.isp_nas", "SELECT"): False,
        }
        for (table, privilege), allowed in tables.items():
            with self.subTest(f"{privilege} {table}"):
                self.assertEqual(self._allowed("has_table_privilege", table, privilege), allowed)
        self.assertFalse(self._allowed("has_schema_privilege", "radius", "CREATE"))

    def _find_functions_without_path(self):
        self.env.cr.execute(
            """
            SELECT p.proname FROM pg_proc p
            WHERE p.pronamespace = 'radius'::regnamespace AND p.prosecdef AND p.proconfig IS NULL
            ORDER BY 1
            """
        )
        return [name for (name,) in self.env.cr.fetchall()]

    def test_functions_set_no_search_path_only_where_the_role_can_create_nothing(self):
        plain = ["account_interim", "account_plain_start", "account_plain_stop"]
        self.env.cr.execute(
            "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')",
            [schema.ROLE],
        )
        self.assertEqual(self.env.cr.fetchall(), [])
        self.assertEqual(self._find_functions_without_path(), plain)
        self.env.cr.execute("CREATE SCHEMA of_another; GRANT CREATE ON SCHEMA of_another TO PUBLIC")
        schema.grant(self.env.cr)
        self.assertEqual(self._find_functions_without_path(), [])

    def test_every_function_is_covered_by_the_test_above(self):
        """No function of the schema is open to everybody."""
        self.env.cr.execute(
            """
            SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.pronamespace = 'radius'::regnamespace
                AND has_function_privilege(%s, p.oid, 'EXECUTE') ORDER BY 1
            """,
            [schema.ROLE],
        )
        self.assertEqual(
            [row[0] for row in self.env.cr.fetchall()],
            [
                "radius.account_interim(text,bigint,bigint,bigint,bigint,bigint,bigint,text,text,text)",
                "radius.account_plain_start(text,text,text,text,inet,text,text,text,text,text,text,"
                "text,text,text,text,text,text,text,text,text,bigint)",
                "radius.account_plain_stop(text,bigint,bigint,bigint,bigint,bigint,bigint,text,text,"
                "text)",
                "radius.account_reboot(inet,text,timestamp with time zone)",
                "radius.account_report(radius.packet,boolean)",
                "radius.account_start(radius.packet)",
                "radius.claim(text,text,text)",
                "radius.find_nas(text)",
                "radius.login_items(text,text)",
                "radius.other_sessions(text,integer,text,integer)",
                "radius.record_accept(text,text,integer,text,text,text,inet)",
                "radius.record_login(text,text,text,text,text,text,text,text,text)",
            ],
        )

    def test_no_table_is_open_to_the_role_whatever_an_earlier_version_gave_it(self):
        self.env.cr.execute("GRANT SELECT, INSERT ON radius.radacct TO radius_ro")
        self.env.cr.execute("GRANT EXECUTE ON FUNCTION radius.subscription_of(text) TO radius_ro")
        schema.grant(self.env.cr)
        self.env.cr.execute(
            """
            SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('radius', 'public') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
                AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(%(role)s, c.oid, 'USAGE')
                    ELSE has_any_column_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE')
                        OR has_table_privilege(%(role)s, c.oid, 'DELETE, TRUNCATE, TRIGGER') END
            """,
            {"role": schema.ROLE},
        )
        self.assertEqual(self.env.cr.fetchall(), [])
        self.assertFalse(
            self._allowed("has_function_privilege", "radius.subscription_of(text)", "EXECUTE")
        )

    # === LIFE OF THE SCHEMA === #

    def test_applying_it_again_does_nothing(self):
        self.assertFalse(schema.apply(self.env.cr))

    def test_a_missing_role_is_said_and_not_fatal(self):
        role, schema.ROLE = schema.ROLE, "isp_no_such_role"
        self.addCleanup(setattr, schema, "ROLE", role)
        with self.assertLogs("odoo.addons.isp_network.radius.schema", "WARNING") as logs:
            schema.grant(self.env.cr)
        self.assertIn("deploy/postgresql/radius_role.sql", logs.output[0])

    def test_uninstalling_removes_schema_and_triggers(self):
        subscription = self.create_subscription(username="karim")
        self.env.flush_all()
        uninstall_hook(self.env)
        self.env.cr.execute("SELECT to_regnamespace('radius')")
        self.assertIsNone(self.env.cr.fetchone()[0])
        self.env.cr.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'radius_sync'")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        subscription._suspend("overdue", "Billing works without the network addon")
        self.env.flush_all()
        self.assertTrue(schema.apply(self.env.cr))
        self.assertEqual(self.row(subscription)["access"], "walled")

    @mute_logger("odoo.sql_db")
    def test_the_orm_may_still_alter_its_own_tables(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE isp_entitlement ALTER COLUMN framed_pool TYPE text")
        self.env.cr.execute("ALTER TABLE isp_nas ALTER COLUMN ip_address TYPE text")

    # === ACCOUNTING === #

    def _insert_open(self, unique_id, last_heard):
        self.env.cr.execute(
            """
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress,
                acctstarttime, acctupdatetime)
            VALUES ('s', %(uid)s, 'karim', '10.0.0.1', now() - %(heard)s::interval,
                now() - %(heard)s::interval)
            """,
            {"uid": unique_id, "heard": last_heard},
        )

    def test_silent_sessions_end_where_they_were_last_heard(self):
        self._insert_open("silent", "30 min")
        self._insert_open("very-silent", "400 days")
        self._insert_open("alive", "1 min")
        self.env["isp.radius"]._cron_close_stale()
        self.env.cr.execute(
            "SELECT acctuniqueid, acctstoptime = acctupdatetime, acctterminatecause, "
            "tableoid::regclass::text FROM radius.radacct WHERE username = 'karim'"
        )
        rows = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        self.assertEqual(rows["silent"][:2], (True, "Stale-Session"))
        self.assertEqual(rows["very-silent"][:2], (True, "Stale-Session"))
        self.assertEqual(rows["alive"], (None, None, "radius.radacct_open"))
        self.assertNotEqual(rows["silent"][2], "radius.radacct_open")

    def test_the_coming_months_are_prepared(self):
        self.env.cr.execute("SELECT radius.ensure_partitions()")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.env.cr.execute("SELECT radius.ensure_partitions(1, 5)")
        self.assertEqual(self.env.cr.fetchone()[0], 4)
        self.env["isp.radius"]._cron_ensure_partitions()
