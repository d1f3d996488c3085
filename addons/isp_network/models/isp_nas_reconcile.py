import logging
from datetime import timedelta

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..routeros import desired, errors, menus
from ..routeros.reconcile import Suspicious, reconcile

_logger = logging.getLogger(__name__)

# Pauses of a router that does not answer, in seconds.
_BACK_OFF_S = (15, 30, 60, 120, 300, 600, 900)
# What a human has to put right is looked at again at this pace.
_REFUSED_S = 900
_FAILED_S = 300
# With more services than this the whole list is read anyway.
_MANY = 2000
_ENTITLEMENT_FIELDS = (
    "upload_kbps", "download_kbps", "burst_upload_kbps", "burst_download_kbps",
    "burst_threshold_upload_kbps", "burst_threshold_download_kbps", "burst_time_s", "priority",
    "framed_pool", "ipv6_pool", "ipv4_address", "delegated_prefix", "address_list",
    "simultaneous_use", "session_timeout_s", "idle_timeout_s", "mac_addresses",
)  # fmt: skip
_SESSION_PATHS = {"pppoe": menus.PPP_SECRET, "hotspot": menus.HOTSPOT_USER}


class IspNas(models.Model):
    """Makes routers as the entitlements say.

    A run starts from what should be and from what is there, never from what an earlier run meant to
    do: one that was cut off, twice, or against a router set up anew, ends in the same state.
    """

    _inherit = "isp.nas"

    # === ACTION METHODS === #

    def action_routeros_dry_run(self):
        """Show what a reconciliation would change, and change nothing."""
        self.ensure_one()
        self.check_access("write")
        try:
            outcome = self._routeros_look()
        except (errors.RouterError, UserError) as error:
            raise UserError(self._explain_run_error(error)) from None
        # sudo: the list belongs to the mechanism; the right to write the router was checked.
        self.env["isp.nas.difference"].sudo()._replace(self, outcome.differences)
        if outcome.differences:
            return self.action_view_differences()
        return self._notify_routeros(
            self.env._("Nothing to do: %s rows are as they should be.", outcome.own), "success"
        )

    def action_routeros_reconcile(self):
        """Correct every difference of the router, in the background."""
        self.check_access("write")
        routers = self.filtered(lambda nas: nas.active and nas.provisioning != "radius")
        if not routers:
            raise UserError(
                self.env._("RADIUS alone serves this router: nothing is written to it.")
            )
        self.env["isp.nas.sync"]._try_at_once(routers)
        # sudo: the right to write the router was checked.
        self.env["isp.nas.change"].sudo()._note_router(routers)
        return routers[:1]._notify_routeros(
            self.env._("The router is looked at in the background."), "success"
        )

    def action_routeros_force(self):
        """Correct every difference, also when most of the router's rows are removed by it."""
        self.check_access("write")
        self.env["isp.nas.sync"]._try_at_once(self)
        for nas in self:
            nas._enqueue_reconcile(full=True, force=True)

    # === JOBS === #

    def _enqueue_reconcile(self, full=False, force=False, eta=None, identity_key=None):
        """Queue a look at the router, in a channel of its own.

        No identity key for the changes of a transaction: it would see a job that is pending in its
        own snapshot although that one has read the entitlements already, and be left out. A job
        that finds nothing to do ends at once.
        """
        self.ensure_one()
        nas = self.with_user(SUPERUSER_ID).with_company(self.company_id)
        nas.with_delay(
            channel=f"root.isp_routeros.nas_{self.id}",
            description=self.env._("Bring %s up to date", self.name),
            eta=eta,
            identity_key=identity_key,
            max_retries=0,
        )._job_routeros_reconcile(full=full, force=force)

    def _job_routeros_reconcile(self, full=False, force=False):
        """Bring one router up to date; jobs of the same router take turns."""
        nas = self.exists()
        if not nas or not nas.active or nas.provisioning == "radius":
            return "nothing to do"
        sync = nas._lock_sync()
        if sync.next_try and sync.next_try > fields.Datetime.now() and not force:
            return f"waits until {sync.next_try}"
        if not full and not nas.change_ids:
            return "nothing to do"
        return nas._routeros_run(sync, full=full, force=force)

    def _lock_sync(self):
        """The state of the router, locked.

        Taking the lock also proves that nobody finished a run after this transaction began: what it
        knows of the entitlements would be older than what the router has.
        """
        try:
            sync = self.env["isp.nas.sync"]._of(self)
            self.env.flush_all()
            locked = sync.try_lock_for_update()
        except (psycopg2.OperationalError, psycopg2.IntegrityError):
            locked = None
        if not locked:
            raise RetryableJobError("another run is at it", seconds=1, ignore_retry=True)
        return locked

    # === ONE RUN === #

    def _routeros_run(self, sync, full=False, force=False):
        """Look at the router and correct it; write down how it went.

        :return: a sentence for the job's record
        """
        changes = self.change_ids
        now = fields.Datetime.now()
        try:
            outcome = self._routeros_correct(changes, full, force)
        except (errors.RouterError, UserError) as error:
            return self._routeros_failed(sync, error, now)
        open_ids = self._settle_changes(changes, outcome)
        sync.write(
            {
                "result": "ok",
                "message": False,
                "last_run": now,
                "last_success": now,
                "failures": 0,
                "next_try": open_ids and now + timedelta(seconds=_FAILED_S),
            }
        )
        return (
            f"{outcome.own} rows, {len(outcome.differences)} differences, {outcome.applied} changes, "
            f"{outcome.ended} sessions ended"
        )

    def _routeros_correct(self, changes, full, force):
        """Talk to the router; store what is left for people.

        :return: the :class:`Outcome`
        """
        whole = full or any(one.whole for one in changes)
        waiting = changes.subscription_id
        if len(waiting) > _MANY:
            whole = True
        # The whole router was asked for by a person, or by a changed setting.
        asked = any(not one.subscription_id for one in changes)
        services = self._get_routeros_services(None if whole else waiting)
        pools = self._get_routeros_pools()
        asked_markers = self.env["isp.nas.difference"]._get_queued_markers(self)
        pending_ids = set(waiting.ids)

        def is_drift(one):
            return desired.service_id_of(one.marker) not in pending_ids and not asked

        def allowed(one):
            return (
                self.routeros_drift == "correct"
                or one.kind == "missing"
                or not is_drift(one)
                or one.marker in asked_markers
                # Profiles nobody needs any more are litter of ours.
                or (one.kind == "extra" and desired.service_id_of(one.marker) is None)
            )

        def taken_over(one):
            return one.marker in asked_markers or self._is_adopted_login(one)

        with self._open_router() as session:
            wanted = self._build_desired(services, pools, session.version)
            outcome = reconcile(
                session,
                wanted.rows,
                scope=None if whole else waiting.ids,
                allowed=allowed,
                force=force,
                stale=self._get_stale_sessions(changes),
                take_over=taken_over,
            )
            version = ".".join(map(str, session.version))
        if version != self.routeros_version:
            self.routeros_version = version
        looked_at = None if whole else waiting
        self.env["isp.nas.limitation"]._record(self, wanted.skipped, looked_at)
        self.env["isp.nas.difference"]._record_run(
            self,
            outcome,
            scope=looked_at,
            drifted=[one for one in outcome.differences if is_drift(one)],
            settled=lambda one: taken_over(one) if one.kind == "clash" else allowed(one),
        )
        return outcome

    def _routeros_look(self):
        """Compare the whole router with what should be there, without changing anything."""
        services, pools = self._get_routeros_services(), self._get_routeros_pools()
        with self._open_router() as session:
            wanted = self._build_desired(services, pools, session.version)
            return reconcile(session, wanted.rows, dry=True)

    def _settle_changes(self, changes, outcome):
        """Forget the changes that arrived; say on the others what the router said."""
        messages = {
            desired.service_id_of(one.marker): message for one, message in outcome.failures
        } | {
            desired.service_id_of(one.marker): self.env._("The router did not keep the change.")
            for one in outcome.left
        }
        for one, message in outcome.failures:
            if desired.service_id_of(one.marker) is None:
                # A profile that cannot be made: its services were refused as well.
                _logger.warning("Router %s refuses %s: %s", self.name, one.label, message)
        left = changes.filtered(lambda one: one.subscription_id.id in messages)
        for change in left:
            change.write({"message": messages[change.subscription_id.id], "tried": True})
        (changes - left).unlink()
        return left.ids

    def _routeros_failed(self, sync, error, now):
        """Write down a failure and queue the next try."""
        message = self._explain_run_error(error)
        away = isinstance(error, errors.Unreachable)
        failures = sync.failures + 1
        pause = _BACK_OFF_S[min(failures, len(_BACK_OFF_S)) - 1] if away else _REFUSED_S
        next_try = now + timedelta(seconds=pause)
        sync.write(
            {
                "result": "unreachable" if away else "refused",
                "message": message,
                "last_run": now,
                "failures": failures,
                "next_try": next_try,
            }
        )
        # Part may be done; sessions were not ended yet.
        self.change_ids.write({"tried": True})
        self._enqueue_reconcile(
            full=not self.change_ids, eta=next_try, identity_key=f"isp-routeros-retry-{self.id}"
        )
        _logger.info("Router %s: %s", self.name, message)
        return message

    def _explain_run_error(self, error):
        if isinstance(error, Suspicious):
            return self.env._(
                "%(router)s: %(what)s. That looks like a mistake, so nothing was done. If it is "
                "right, use “Reconcile anyway”.",
                router=self.name,
                what=error,
            )
        if isinstance(error, errors.RouterError):
            return self._explain_router_error(error)
        return str(error)

    # === WHAT SHOULD BE === #

    def _build_desired(self, services, pools, version):
        self.ensure_one()
        return desired.build(
            services,
            pools=pools,
            logins=self.provisioning == "routeros",
            gateway=self.routeros_gateway or "",
            version=version,
        )

    def _get_routeros_services(self, subscriptions=None):
        """What the entitlements give on this router, as plain :class:`desired.Service`.

        :param subscriptions: only these, ``None`` for all
        """
        self.ensure_one()
        domain = [("subscription_id.nas_id", "=", self.id)]
        if subscriptions is not None:
            domain.append(("subscription_id", "in", subscriptions.ids))
        # sudo: what the network shall give does not depend on who asks.
        entitlements = self.env["isp.entitlement"].sudo().search(domain)
        now = fields.Datetime.now()
        return [self._prepare_routeros_service(one, now) for one in entitlements]

    @api.model
    def _prepare_routeros_service(self, entitlement, now):
        subscription = entitlement.subscription_id
        return desired.Service(
            id=subscription.id,
            username=entitlement.username or "",
            password=subscription.password or "",
            service_type=subscription.plan_id.service_type,
            access=self._get_access_now(entitlement, now),
            **{
                name: entitlement[name] or ("" if field_type == "char" else 0)
                for name, field_type in self._get_entitlement_types()
            },
        )

    @api.model
    def _get_entitlement_types(self):
        model = self.env["isp.entitlement"]
        return [(name, model._fields[name].type) for name in _ENTITLEMENT_FIELDS]

    @api.model
    def _get_access_now(self, entitlement, now):
        """The same decision as ``radius.service``, with services that ended told apart."""
        access = entitlement.access
        if access == "none":
            return "gone" if entitlement.reason in ("draft", "terminated") else "none"
        if access in ("full", "throttled") and (
            entitlement.valid_until and entitlement.valid_until <= now
        ):
            return "walled"
        return access

    def _get_routeros_pools(self):
        """Pools that belong on this router.

        Hook: extend to add pools from elsewhere.
        """
        self.ensure_one()
        if "isp.ip.pool" not in self.env:
            return []
        pools = self.env["isp.ip.pool"].search(
            [
                ("nas_id", "=", self.id),
                ("purpose", "in", ("dynamic", "walled")),
                ("radius_name", "!=", False),
            ]
        )
        return [
            desired.Pool(
                pool.id,
                pool.radius_name,
                ",".join(f"{one.first_address}-{one.last_address}" for one in pool.range_ids),
            )
            for pool in pools
            if pool.range_ids
        ]

    def _get_stale_sessions(self, changes):
        """``{(path, login): age}`` of sessions that began before a change to them."""
        now = fields.Datetime.now()
        stale = {}
        for change in changes.filtered("ends_session"):
            subscription = change.subscription_id
            path = _SESSION_PATHS.get(subscription.plan_id.service_type)
            if path and self.provisioning == "routeros":
                age = 0 if change.tried else int((now - change.create_date).total_seconds())
                stale[path, subscription.username] = max(
                    age, stale.get((path, subscription.username), 0)
                )
        return stale

    # === CRON === #

    @api.model
    def _cron_routeros_follow(self):
        """Every minute: services that end by the clock, and changes nobody follows any more."""
        routers = self.search([("provisioning", "!=", "radius")])
        now = fields.Datetime.now()
        for nas in routers:
            sync = self.env["isp.nas.sync"]._of(nas)
            if not sync.try_lock_for_update():
                continue
            nas._note_expired(sync, now)
            oldest = nas.change_ids[:1]
            if (
                oldest
                and oldest.create_date < now - timedelta(minutes=1)
                and not (sync.next_try and sync.next_try > now)
            ):
                nas._enqueue_reconcile(identity_key=f"isp-routeros-follow-{nas.id}")

    def _note_expired(self, sync, now):
        since = sync.expired_through or now - timedelta(days=1)
        # sudo: see _get_routeros_services.
        expired = (
            self.env["isp.entitlement"]
            .sudo()
            .search(
                [
                    ("valid_until", ">", since),
                    ("valid_until", "<=", now),
                    ("subscription_id.nas_id", "=", self.id),
                ]
            )
        )
        sync.expired_through = now
        self.env["isp.nas.change"]._note({one: self for one in expired.subscription_id})

    @api.model
    def _cron_routeros_nightly(self):
        """Look at every router as a whole, and keep a copy of its configuration."""
        for nas in self.search([("provisioning", "!=", "radius")]):
            nas._enqueue_reconcile(full=True, identity_key=f"isp-routeros-nightly-{nas.id}")
        # Routers that only ask RADIUS have a configuration to lose as well.
        for nas in self.search([("routeros_password_enc", "!=", False)]):
            nas._enqueue_backup()
