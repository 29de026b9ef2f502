"""Which machine answers for a router. Two whose addresses were swapped would get each other's accounts."""

from isp_engine import routers as engine

from odoo import _, fields, models
from odoo.exceptions import AccessError

from ..logic import router_calls, transaction
from .isp_guard_mixin import MANAGER


class IspRouter(models.Model):
    _inherit = "isp.router"

    serial = fields.Char("Serial number", readonly=True, copy=False, help="As the machine says that answers for this router.")
    machine_since = fields.Datetime(
        "Machine known since", readonly=True, copy=False,
        help="Another machine that answers for this router is left alone until a manager says that it is right.",
    )

    def _isp_machines(self):
        """The machine that answered before (``None`` for none), and those that serve the company's other routers."""
        self.ensure_one()
        others = self.sudo().search([
            ("company_id", "=", self.company_id.id), ("id", "!=", self.id), ("machine_since", "!=", False),
        ])
        machine = engine.Machine(self.identity or "", self.serial or None) if self.machine_since else None
        return machine, [engine.Machine(other.identity or "", other.serial or None) for other in others]

    def _isp_met(self, machine, now):
        """Remember the machine that answered; the engine has refused any other."""
        self.ensure_one()
        router = self.sudo()
        if machine and (not router.machine_since or (router.identity, router.serial or None) != machine):
            router.write({
                "identity": machine.identity, "serial": machine.serial, "machine_since": router.machine_since or now,
            })

    def action_isp_confirm_machine(self):
        """A manager says that the machine which answers now is the right one: it was replaced, or its address corrected."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(_("Which machine is the right one is for the group Manager to say."))
        self.check_access_rights("write")
        self.check_access_rule("write")
        work = [self._isp_engine_router()._replace(machine=None, other_machines=())]
        deadline = self._isp_deadline()
        self._isp_log_sending(_("Machine confirmed"))
        transaction.commit(self.env)
        answers, refused = router_calls.call(engine.status, work, deadline=deadline)
        now = self._isp_now()
        error = refused.get(self.id) or answers[self.id].error
        if error:
            self._isp_trouble(error.code, str(error))
        else:
            router, machine = self.sudo(), answers[self.id].machine
            self.message_post(body=_(
                "%(who)s says that the right machine answers: %(machine)s. Before: %(before)s.",
                who=self.env.user.name,
                machine=" ".join(filter(None, machine)),
                before=" ".join(filter(None, (router.identity, router.serial))) or "-",
            ))
            router.machine_since = False
            router._isp_met(machine, now)
            router._isp_well(now)
            self._isp_trigger_sync()
        return {"type": "ir.actions.client", "tag": "soft_reload"}
