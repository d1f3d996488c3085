"""For ``odoo shell`` on a restored database: whoever was erased since is erased again."""

import os

# In how many passes an erasure gives up what it cannot reach: nobody gets mail from here.
PASSES = 10

if "privacy.erasure.ledger" in env:  # noqa: F821 (the shell has it)
    if folder := os.environ.get("ISP_LEDGER_DIR"):
        env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", folder)  # noqa: F821
    runs = env["privacy.erasure.ledger"]._replay()  # noqa: F821
    env.cr.commit()  # noqa: F821
    for _number in range(PASSES):
        if "running" not in runs.mapped("state"):
            break
        env["privacy.erasure"]._cron_work()  # noqa: F821
        env.cr.commit()  # noqa: F821
    open_runs = runs.filtered(lambda run: run.state != "done")
    print(f"REPLAY {len(runs)} erasures repeated, {len(open_runs)} of them not finished.")
    for run in open_runs:
        print(f"REPLAY {run.pseudonym}: {run.state}, {run.problem or 'look at Privacy / Erasures'}")
else:
    print("REPLAY no erasures: isp_privacy is not installed.")
