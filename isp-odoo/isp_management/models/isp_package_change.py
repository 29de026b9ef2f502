"""A planned package becomes the line's package on its day; what was sold before stays known until every period is billed."""

from odoo import api, fields, models

from ..logic import billing_rows


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    old_package_id = fields.Many2one(
        "isp.package", "Package before", readonly=True, copy=False, check_company=True, ondelete="restrict",
        help="Periods that started before the change are billed with it.",
    )
    changed_on = fields.Date("Package changed on", readonly=True, copy=False)

    @api.model
    def _isp_planned_changes(self):
        """Lines of the company whose day of a planned change has come: the package follows, and their routers hear of it."""
        company = self.env.company
        lines = self.sudo().search([
            ("company_id", "=", company.id), ("state", "!=", "draft"), ("change_date", "<=", company._isp_today()),
        ])
        lines._isp_change_package()

    def _isp_change_package(self):
        for line in self.sudo():
            # Two changes at once are more than a bill can tell: the first one's periods are billed first.
            if line.old_package_id and line._isp_first_open() < line.changed_on:
                continue
            line.write({
                "old_package_id": line.package_id.id,
                "changed_on": line.change_date,
                "package_id": line.next_package_id.id,
                "next_package_id": False,
                "change_date": False,
            })

    def _isp_first_open(self):
        """The first day on which a period of this line may start that is not billed."""
        self.ensure_one()
        return billing_rows.first_open(
            self.timing, self.cycle, self.billed_from, self.company_id.isp_billed_through, self.activation_date
        )
