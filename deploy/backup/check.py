"""Are the backups in order? Says what is not, and ends with 1. Run by ``isp-backup check``.

pgBackRest and restic end with 0 after some of what they found, so their answers are read.
"""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone

TIMEOUT_S = 6 * 3600
# Archiving is tried by pgBackRest's own check before this is asked, so an idle night is no excuse.
ARCHIVER = """
SELECT CASE
    WHEN current_setting('archive_mode') = 'off' THEN 'archive_mode is off'
    WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
        THEN format('%s failed at %s', last_failed_wal, last_failed_time)
    WHEN coalesce(last_archived_time, '-infinity') < now() - interval '10 minutes'
        THEN 'nothing was archived for 10 minutes'
END FROM pg_stat_archiver
"""


def judge_database(info, now, max_age, max_kept):
    """Yield what is wrong with the answer of ``pgbackrest info --output=json`` about one stanza."""
    if info["status"]["code"]:
        yield f"The backups of the database cannot be used: {info['status']['message']}."
        return
    if info["cipher"] != "aes-256-cbc":
        yield "The backups of the database are not encrypted: set repo1-cipher-type."
    backups = info["backup"]
    for backup in backups:
        if backup.get("error"):
            yield f"PostgreSQL had damaged pages when {backup['label']} was made: look at its log."
    ends = [_moment(backup["timestamp"]["stop"]) for backup in backups]
    if now - max(ends) > max_age:
        yield f"The newest backup of the database is of {max(ends):%Y-%m-%d %H:%M} UTC."
    fulls = [end for end, backup in zip(ends, backups, strict=True) if backup["type"] == "full"]
    if now - max(fulls) > max_age + timedelta(days=7):
        yield f"The newest full backup of the database is of {max(fulls):%Y-%m-%d %H:%M} UTC."
    if now - min(ends) > max_kept:
        yield (
            f"A backup of {min(ends):%Y-%m-%d} is still kept: what was erased since could be read "
            "in it. Look at repo1-retention-full."
        )


def judge_files(snapshots, now, max_age, max_kept):
    """Yield what is wrong with the answer of ``restic snapshots --json``."""
    # restic writes nanoseconds, which Python of Debian 12 does not read.
    moments = [
        datetime.fromisoformat(one["time"][:19]).replace(tzinfo=_zone(one["time"]))
        for one in snapshots
    ]
    if not moments:
        yield "There is no backup of files."
        return
    if now - max(moments) > max_age:
        yield f"The newest backup of files is of {max(moments):%Y-%m-%d %H:%M %Z}."
    if now - min(moments) > max_kept:
        yield f"A backup of files of {min(moments):%Y-%m-%d} is still kept: look at FILES_KEEP_DAYS."


def judge_verify(text):
    """Yield what ``pgbackrest verify --verbose`` says is wrong; it ends with 0 all the same."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "status: ok" not in lines:
        yield "The backups of the database are damaged: " + "; ".join(lines[:6])


def _moment(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc)


def _zone(text):
    if text.endswith("Z"):
        return timezone.utc
    return datetime.fromisoformat(f"2000-01-01T00:00:00{text[-6:]}").tzinfo


class Check:
    """Asks the programs and collects what is wrong."""

    def __init__(self, env):
        self.env = env
        self.problems = []

    def run(self, deep):
        """Return what is wrong, as sentences."""
        stanza = f"--stanza={self.env['STANZA']}"
        now = datetime.now(timezone.utc)
        kept = timedelta(days=int(self.env["MAX_KEPT_DAYS"]))
        user = self.env["PG_USER"]
        self.ask("Archiving does not work", ["pgbackrest", stanza, "check"], user)
        answer = self.ask(
            "PostgreSQL does not answer", ["psql", "-XAtqd", "postgres", "-c", ARCHIVER], user
        )
        if answer and answer.strip():
            self.problems.append(f"Archiving does not work: {answer.strip()}.")
        info = ["pgbackrest", stanza, "info", "--output=json"]
        if answer := self.ask("The backups of the database cannot be listed", info, user):
            age = timedelta(hours=int(self.env["MAX_AGE_HOURS"]))
            # Not strict: with a wrong passphrase its message holds whatever that decrypts.
            for one in json.loads(answer, strict=False) or [
                {"status": {"code": 1, "message": "no stanza"}}
            ]:
                self.problems += judge_database(one, now, age, kept)
        answer = self.ask(
            "The backups of files cannot be listed", ["restic", "snapshots", "--no-lock", "--json"]
        )
        if answer:
            age = timedelta(hours=int(self.env["MAX_AGE_FILES_HOURS"]))
            self.problems += judge_files(json.loads(answer) or [], now, age, kept)
        if deep:
            verify = ["pgbackrest", stanza, "verify", "--output=text", "--verbose"]
            answer = self.ask("The backups of the database are damaged", verify, user)
            if answer is not None:
                self.problems += judge_verify(answer)
            self.ask("The backups of files are damaged", ["restic", "check", "--read-data"])
        return self.problems

    def ask(self, problem, command, user=None):
        """Return what a command prints; note the problem and return None if it fails."""
        if user and os.getuid() == 0:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        try:
            result = subprocess.run(
                command,
                cwd="/",
                capture_output=True,
                text=True,
                errors="replace",  # what a wrong passphrase decrypts is no text
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            self.problems.append(f"{problem}: no answer in {TIMEOUT_S} s.")
            return None
        if result.returncode:
            lines = (result.stderr or result.stdout).strip().splitlines()
            self.problems.append(f"{problem}: {' '.join(lines[-4:])}")
            return None
        return result.stdout


def main():
    """Print the problems, or that there is none."""
    problems = Check(os.environ).run(deep="--deep" in sys.argv)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if not problems:
        sys.stdout.write("The backups are in order.\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
