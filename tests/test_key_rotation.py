"""A rotation of keys that is killed in the middle goes on where it was."""

import base64
import hashlib
import json

import pytest

from harness import databases, processes
from harness.server import read_shell, run_shell
from harness.settings import pretend_environment

SECRETS = 600
BATCH = 50


def keys(active, *key_ids):
    def key(name):
        return hashlib.sha256(f"rotation {name}".encode()).digest()

    return json.dumps(
        {
            "active": active,
            "keys": {key_id: base64.b64encode(key(key_id)).decode() for key_id in key_ids},
            "index": base64.b64encode(key("index")).decode(),
            "radius": key("radius").hex(),
        }
    )


SEED = f"""
env["test.isp.secret"].create(
    [{{"name": f"S{{number}}", "password": f"password {{number}}"}} for number in range({SECRETS})]
)
env.cr.commit()
"""

# Says when a batch is committed.
ROTATE = f"""
cron = type(env["ir.cron"])
commit = cron._commit_progress
def say(self, processed=0, **options):
    result = commit(self, processed, **options)
    print("batch", processed, flush=True)
    return result
cron._commit_progress = say
env["isp.encrypted.mixin"]._cron_rotate_keys(batch_size={BATCH})
"""

PROGRESS = """
import json
settings = env["res.config.settings"].create({})
print("RESULT" + json.dumps([settings.isp_old_secrets, settings.isp_rotation_progress]))
"""

READ = """
import json
secrets = env["test.isp.secret"].search([("name", "=like", "S%")], order="id")
print("RESULT" + json.dumps(secrets.mapped("password")))
"""


def count(database, key_id):
    statement = "SELECT count(*) FROM test_isp_secret WHERE split_part(password_enc, ':', 2) = %s"
    return databases.query(database, statement, [key_id])[0][0]


@pytest.mark.proves("P-13")
def test_a_kill_costs_one_batch_and_the_rest_goes_on(new_database):
    database = new_database()
    with pretend_environment({"ISP_KEYS": keys("k1", "k1")}):
        run_shell(database, SEED)
    with pretend_environment({"ISP_KEYS": keys("k2", "k1", "k2")}):
        waiting, progress = read_shell(database, PROGRESS)
        assert waiting >= SECRETS
        assert progress == 0
        worker = processes.start_shell(database, ROTATE)
        lines = [worker.stdout.readline() for _number in range(4)]
        worker.kill()
        worker.communicate()
        assert lines[1:] == [f"batch {BATCH}\n"] * 3
        done = count(database, "k2")
        assert 3 * BATCH <= done < SECRETS
        assert count(database, "k1") == SECRETS - done
        left, progress = read_shell(database, PROGRESS)
        assert left == waiting - done
        assert 0 < progress < 100

        rest = run_shell(database, ROTATE).splitlines()
        assert sum(int(line.split()[1]) for line in rest) == left
        assert read_shell(database, PROGRESS) == [0, 100]
    with pretend_environment({"ISP_KEYS": keys("k2", "k2")}):
        assert read_shell(database, READ) == [f"password {number}" for number in range(SECRETS)]
