"""Backups with the real pgBackRest and restic, as an operator installs them: any moment can be restored.

Production is a PostgreSQL of this test's own with the suite's database. What happens in it, in order: a
customer with an identity number is entered, all is backed up, one customer is added, *the instant*, a bad
statement, somebody is erased. Then the instant is restored, by the drill.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import cluster, databases, server
from harness.settings import REPO, environment, pretend_environment, shared_state

DEPLOY = REPO / "deploy/backup"
NID, PASSWORD, WORD = "19874471234509877", "Zq-backup-canary-8843", "ZqPlainWordOfBackupXv"
FILE = "ZqPlainWordOfFileOfBackupXv"
ERASED = "Zwillich Backupson"
TIMEOUT_S = 240

PLANT = f"""
import json
from odoo.tests.common import new_test_user
officer = new_test_user(env, "kyc.backup", groups="isp_privacy.group_kyc_officer", password={PASSWORD!r})
karim, gone = env["res.partner"].create([{{"name": {WORD!r}}}, {{"name": {ERASED!r},
    "email": "zw@canary.example"}}])
env["privacy.kyc"].with_user(officer).create({{"partner_id": karim.id, "number": {NID!r}}})
env["ir.attachment"].create({{"name": "word.txt", "raw": {FILE.encode()!r}}})
env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", %(ledger)r)
env["ir.mail_server"].create({{"name": "Real", "smtp_host": "mail.isp.example"}})
env.cr.commit()
print("RESULT" + json.dumps({{"karim": karim.id, "gone": gone.id}}))
"""

ERASE = """
import json
from odoo.tests.common import new_test_user
rules = env["privacy.profile.rule"].search([("id", "!=", False)])
rules.write({"min_days": 0, "min_months": 0})
group = "isp_privacy.group_privacy_officer"
first = new_test_user(env, "officer.one", groups=group, password="officer.one-1")
second = new_test_user(env, "officer.two", groups=group, password="officer.two-1")
request = env["privacy.request"].with_user(first).create(
    {"request_type": "erasure", "partner_id": %s}
)
request._verify_identity("letter")
request.action_review()
request.with_user(second).action_approve()
env.flush_all()
env.cr.execute("UPDATE privacy_request SET recover_until = now() - interval '1 day'")
env.invalidate_all()
env.cr.commit()
env["privacy.request"].sudo()._cron_end_recovery()
for _attempt in range(8):
    env["privacy.erasure"].sudo()._cron_work()
env.cr.commit()
print("RESULT" + json.dumps(request.sudo().erasure_ids.state))
"""


class Installed:
    """Production, and the files of deploy/backup with its paths put in.

    Root lends PostgreSQL a user of its own, which must get into each folder on the way.
    """

    def __init__(self, production, database):
        self.production = production
        self.database = database
        self.folder = production.folder / "backup"
        self.data = Path(environment()["ODOO_DATA_DIR"])
        self.repository = self.folder / "database"
        self.files = self.folder / "files"
        self.ledger = self.folder / "ledger"
        self.restored = self.folder / "restore"
        self.settings = self.folder / "backup.conf"
        self.pg_user = "postgres" if os.getuid() == 0 else _me()
        for path in (self.repository, self.files, self.ledger, self.folder / "log"):
            path.mkdir(parents=True)
        (self.data / "filestore").mkdir(parents=True)
        self.own(self.repository, self.folder / "log")
        self.socket = production.bash(". scripts/lib.sh; socket_dir").strip()
        self.backrest = self.write_pgbackrest("pgbackrest.conf", "right-passphrase")
        self.write_settings()

    def own(self, *paths):
        if os.getuid() == 0:
            for path in paths:
                shutil.chown(path, self.pg_user)

    def write_pgbackrest(self, name, passphrase):
        """Render pgbackrest.conf; return its path."""
        text = (DEPLOY / "pgbackrest.conf").read_text()
        for word, value in {
            "/var/backups/isp-suite/database": self.repository,
            "SET-ME": passphrase,
            "/var/lib/postgresql/15/main": self.production.data,
            "/var/run/postgresql": self.socket,
            "[global]\n": f"[global]\nlog-path={self.folder}/log\nlock-path={self.folder}/log\n",
        }.items():
            assert word in text
            text = text.replace(word, str(value))
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        self.own(path)
        return path

    def write_settings(self):
        """Render backup.conf."""
        text = (DEPLOY / "backup.conf").read_text()
        env = environment()
        password = self.folder / "restic.password"
        password.write_text("right-password\n")
        for name, value in {
            "DATABASES": self.database,
            "DB_USER": "isp",
            "DATA_DIR": self.data,
            "LEDGER_DIR": self.ledger,
            "ODOO": REPO / "scripts/odoo",
            "ODOO_RC": env["ODOO_RC"],
            "ISP_KEY_FILE": env["ISP_KEY_FILE"],
            "ODOO_USER": _me(),
            "PG_USER": self.pg_user,
            "PGHOST": self.socket,
            "PGBACKREST_CONFIG": self.backrest,
            "RESTIC_REPOSITORY": self.files,
            "RESTIC_PASSWORD_FILE": password,
            "RESTIC_CACHE_DIR": self.folder / "cache",
            "RESTORE_DIR": self.restored,
        }.items():
            lines = text.splitlines()
            [number] = [n for n, line in enumerate(lines) if line.startswith(f"{name}=")]
            lines[number] = f"{name}={value}"
            text = "\n".join(lines) + "\n"
        self.settings.write_text(text)

    def run(self, program, *args, env=None, code=0):
        """Run a program of deploy/backup; return what it printed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        result = subprocess.run(
            [DEPLOY / program, *args],
            env=clean | {"ISP_BACKUP_CONF": str(self.settings)} | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",  # what a wrong passphrase decrypts is no text
            timeout=TIMEOUT_S,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    def sql(self, statement):
        return databases.query(self.database, statement)

    def superuser(self, statement):
        """Run SQL as PostgreSQL's administrator."""
        return self.production.bash(f'scripts/pg superuser -XAtq -c "{statement}"').strip()


def _me():
    return pwd.getpwuid(os.getuid()).pw_name


def contains(folder, *words):
    """Return those of the words that stand in clear in a file below a folder, or in its name."""
    found = set()
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found |= {word for word in words if word.encode() in content or word in path.name}
    return found


@pytest.fixture(scope="module")
def installed(suite_template):
    """Production with the suite's database, archiving as deploy/backup/postgresql.conf has it."""
    made = cluster.Cluster(shared_state() / f"{cluster.PREFIX}{os.getpid()}-backup")
    made.env["ISP_PG_FSYNC"] = "off"  # nobody pulls its plug
    name = f"isp_test_{os.getpid()}_backup"
    files = databases.filestore(suite_template)
    text = (DEPLOY / "postgresql.conf").read_text()
    assert "'pgbackrest --stanza" in text
    config = f"'pgbackrest --config={made.state}/backup/pgbackrest.conf"
    try:
        made.create(text.replace("'pgbackrest", config)).start()
        data = {"ODOO_DATA_DIR": f"{made.state}/backup/data"}
        with made.in_use(), pretend_environment(data):
            installed = Installed(made, name)
            installed.run("isp-backup", "setup")
        made.load(suite_template)
        with made.in_use(), pretend_environment(data):
            databases.query("postgres", f"ALTER DATABASE {suite_template} RENAME TO {name}")
            shutil.copytree(files, databases.filestore(name), copy_function=os.link)
            yield installed
    finally:
        made.remove()


@pytest.fixture(scope="module")
def course(installed):
    """What happened in production, and a restore of the instant in the middle of it."""
    story = server.read_shell(installed.database, PLANT % {"ledger": str(installed.ledger)})
    installed.run("isp-backup", "full")
    installed.sql("CREATE TABLE drill (word text)")
    installed.sql("INSERT INTO drill VALUES ('before')")
    [(story["instant"],)] = installed.sql("SELECT clock_timestamp()::text")
    installed.sql("DELETE FROM drill")
    installed.sql("INSERT INTO drill VALUES ('after')")
    installed.sql(f"UPDATE res_partner SET name = 'Overwritten' WHERE id = {story['karim']}")
    [(story["file"],)] = installed.sql(
        "SELECT store_fname FROM ir_attachment WHERE name = 'word.txt'"
    )
    (databases.filestore(installed.database) / story["file"]).unlink()
    story["erased"] = server.read_shell(installed.database, ERASE % story["gone"])
    installed.run("isp-backup", "files")
    story["check"] = installed.run("isp-backup", "check")
    story["restore"] = installed.run("isp-restore", "--target", story["instant"], "--keep")
    yield story
    installed.run("isp-restore", "--remove")


def restored(installed, statement):
    """Run SQL on what was restored, as an operator who looks into it; return the lines."""
    command = ["psql", "-XAtq", "-h", str(installed.restored / "run"), "-U", "isp"]
    result = subprocess.run(
        [*command, "-d", installed.database, "-c", statement],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not result.returncode, result.stderr
    return result.stdout.splitlines()


# === ENCRYPTED === #


@pytest.mark.proves("P-13", "P-16")
def test_no_backup_holds_a_word_in_clear(installed, course):
    words = [NID, PASSWORD, WORD, FILE, ERASED, "drill"]
    # The search finds what is there: in the database's own files, and in those of the restore.
    assert WORD in contains(installed.production.data / "base", *words)
    assert FILE in contains(installed.restored / "data", *words)
    for repository in (installed.repository, installed.files):
        assert len([path for path in repository.rglob("*") if path.is_file()]) > 5
        assert contains(repository, *words) == set()
    # Compressed words could not be found either: each file is what openssl has encrypted.
    stored = [path for path in installed.repository.rglob("*") if path.is_file()]
    assert [path for path in stored if path.read_bytes()[:8] != b"Salted__"] == []


@pytest.mark.proves("P-13")
def test_a_wrong_passphrase_opens_nothing(installed, course):
    wrong = installed.folder / "wrong.conf"
    text = installed.settings.read_text()
    installed.write_pgbackrest("wrong-pgbackrest.conf", "wrong-passphrase")
    (installed.folder / "wrong.password").write_text("wrong-password\n")
    for right in ("/pgbackrest.conf", "/restic.password"):
        name = right.replace("/", "/wrong-") if "conf" in right else "/wrong.password"
        text = text.replace(right, name)
    text = text.replace(f"RESTORE_DIR={installed.restored}", f"RESTORE_DIR={installed.folder}/no")
    wrong.write_text(text)
    env = {"ISP_BACKUP_CONF": str(wrong)}
    said = installed.run("isp-backup", "check", env=env, code=1)
    assert "The backups of the database cannot be" in said
    assert "The backups of files cannot be listed" in said
    said = installed.run("isp-restore", "--target", course["instant"], env=env, code=1)
    assert "pgBackRest did not restore" in said
    assert list((installed.folder / "no").iterdir()) == [], "what fails leaves nothing behind"


# === ANY MOMENT === #


@pytest.mark.proves("P-16")
def test_the_instant_is_restored_and_nothing_behind_it(installed, course):
    assert restored(installed, "SELECT word FROM drill") == ["before"]
    assert installed.sql("SELECT word FROM drill") == [("after",)]
    name = f"SELECT name FROM res_partner WHERE id = {course['karim']}"
    assert restored(installed, name) == [WORD]
    assert f"Restored to {course['instant']}" in course["restore"]
    assert "the last change in it is of 20" in course["restore"]
    assert installed.sql(name) == [("Overwritten",)]


@pytest.mark.proves("P-16")
def test_a_file_that_was_deleted_since_is_there(installed, course):
    path = installed.restored / "data/filestore" / installed.database / course["file"]
    assert path.read_text() == FILE
    assert "of which 0 are missing" in course["restore"]


def test_nothing_goes_out_from_what_was_restored(installed, course):
    assert restored(installed, "SELECT smtp_host FROM ir_mail_server WHERE active") == ["invalid"]
    jobs = "SELECT count(*) FROM ir_cron WHERE active AND cron_name NOT ILIKE '%auto-vacuum%'"
    assert restored(installed, jobs) == ["0"]
    providers = "SELECT count(*) FROM payment_provider WHERE state = 'enabled'"
    assert restored(installed, providers) == ["0"]


@pytest.mark.proves("P-37")
def test_who_was_erased_stays_erased(installed, course):
    assert course["erased"] == "done"
    assert "1 erasures repeated, 0 of them not finished" in course["restore"]
    found = (
        "SELECT count(*) FROM res_partner WHERE name = 'Zwillich Backupson' OR email LIKE 'zw@%'"
    )
    assert restored(installed, found) == ["0"]
    # The copy was erased, and has not told the ledger of production so.
    [ledger] = installed.ledger.glob("erasures-*.jsonl")
    assert len(ledger.read_text().splitlines()) == 1


@pytest.mark.proves("P-16")
def test_the_drill_is_entered_in_the_register(installed, course):
    [(name, reference, days, findings)] = installed.sql(
        "SELECT e.name, e.reference, e.valid_until - e.valid_from, m.body"
        " FROM privacy_evidence e JOIN mail_message m ON m.model = 'privacy.evidence'"
        " AND m.res_id = e.id AND m.body LIKE '%Restored to%'"
        " WHERE e.active AND e.kind = 'restore_drill'"
    )
    assert name.endswith(course["instant"])
    assert reference.endswith("F")
    assert days == 35
    for words in ("1 erasures repeated", "of which 0 are missing", "It took"):
        assert words in findings
    assert restored(installed, "SELECT count(*) FROM privacy_evidence WHERE active") == ["0"]


@pytest.mark.proves("P-16")
def test_the_drill_restores_this_very_moment_and_takes_it_down(installed, course):
    """As the timer starts it every month, here without Odoo's part."""
    text = installed.settings.read_text()
    text = text.replace(f"DATABASES={installed.database}", "DATABASES=")
    text = text.replace(
        f"RESTORE_DIR={installed.restored}", f"RESTORE_DIR={installed.folder}/drill"
    )
    other = installed.folder / "drill.conf"
    other.write_text(text)
    said = installed.run("isp-restore", env={"ISP_BACKUP_CONF": str(other)})
    assert said.count("Restored to 20") == 1
    assert list((installed.folder / "drill").iterdir()) == []


# === THE ALARM === #


@pytest.mark.proves("P-16")
def test_no_alarm_while_all_is_well(installed, course):
    assert course["check"] == "The backups are in order.\n"
    assert installed.run("isp-backup", "verify") == "The backups are in order.\n"


@pytest.mark.proves("P-16")
@pytest.mark.parametrize("part", ["database", "files"])
def test_a_flipped_byte_is_noticed(installed, course, part):
    folder = installed.repository / "backup" if part == "database" else installed.files / "data"
    path = max(folder.rglob("*"), key=lambda one: one.is_file() and one.stat().st_size)
    right = path.read_bytes()
    wrong = bytearray(right)
    wrong[len(wrong) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(wrong)
    try:
        said = installed.run("isp-backup", "verify", code=1)
    finally:
        path.write_bytes(right)
    assert f"The backups of {'the database' if part == 'database' else 'files'} are damaged" in said


@pytest.mark.proves("P-16")
def test_broken_archiving_raises_the_alarm(installed, course):
    installed.superuser("ALTER SYSTEM SET archive_command = 'false pgbackrest'")
    installed.superuser("SELECT pg_reload_conf()")
    try:
        env = {"PGBACKREST_ARCHIVE_TIMEOUT": "2"}
        said = installed.run("isp-backup", "check", env=env, code=1)
    finally:
        installed.superuser("ALTER SYSTEM RESET archive_command")
        installed.superuser("SELECT pg_reload_conf()")
    assert said.count("Archiving does not work") == 2
    assert "failed at" in said
