"""The pictures below the counters of the first screen, and the map: each number from the books or the lines, nothing is stored."""

from collections import defaultdict

import isp_engine
from dateutil.relativedelta import relativedelta

from odoo import _, api, models
from odoo.exceptions import AccessError

from ..logic.money import OWED_FROM, whole

MONTHS = 6
DAYS = 30
# Days late, up to and including; the last is open.
AGES = ((7, "1-7"), (30, "8-30"), (60, "31-60"), (None, "> 60"))


class IspDashboard(models.AbstractModel):
    _inherit = "isp.dashboard"

    @api.model
    def data(self):
        found = super().data()
        company, money = self.env.company, self.env.user.has_group("isp_management.group_cashier")
        today = company._isp_today()
        pictures = [self._churn(company, today), self._isolations(company, today), self._routers(company)]
        if money:
            pictures = [self._mrr(company, today), self._collection(found["months"]), self._ageing(company, today), *pictures]
        return {**found, "pictures": [picture for picture in pictures if picture], "notices": self._notices(company)}

    def _notices(self, company):
        """What the manager has to know of these books."""
        if not self.env.user.has_group("isp_management.group_manager"):
            return []
        notices = [] if company.isp_is_rupiah else [company._isp_no_rupiah()]
        trouble = self.env["isp.sealed.mixin"]._isp_key_trouble()
        if trouble:
            notices.append(trouble)
        if company.currency_id.rounding >= 1:
            return notices
        return [*notices, _(
            "The books round %(currency)s to %(rounding)s. Whole rupiah are asked for, and nobody is isolated for a fraction; with a rounding of 1"
            " there are none.", currency=company.currency_id.name, rounding=company.currency_id.rounding,
        )]

    def _picture(self, key, title, bars, *, figure=None, money=False, note=None):
        """Bars that share one scale; a bar is (label, value, tone, text)."""
        highest = max((value for _label, value, _tone, _text in bars), default=0) or 1
        return {
            "key": key, "title": title, "figure": figure, "money": money, "note": note,
            "bars": [
                {"label": label, "value": value, "tone": tone, "text": text, "percent": round(100 * max(value, 0) / highest)}
                for label, value, tone, text in bars
            ],
        }

    def _mrr(self, company, today):
        """What all lines in service pay a month at today's prices, less what was granted to them."""
        lines = self.env["isp.subscription"].sudo().search([("company_id", "=", company.id), ("state", "=", "active")])
        rows = lines.read(["package_id", "held_price", "held_until", "discount_kind", "discount_value", "discount_until"], load=None)
        packages, refused = self.env["isp.billing_run"].sudo()._catalog({row["package_id"] for row in rows})
        package_of = {row["id"]: row["package_id"] for row in rows}
        # A month that begins today, as the engine bills it.
        months = [
            isp_engine.Subscription(
                row["id"], row["package_id"], today, today.day, billed_from=today,
                held_price=isp_engine.HeldPrice(whole(row["held_price"]), row["held_until"] or None) if row["held_price"] else None,
                discount=isp_engine.Discount(row["discount_kind"], whole(row["discount_value"]), row["discount_until"] or None)
                if row["discount_kind"] and row["discount_value"] else None,
            )
            for row in rows if row["package_id"] not in refused
        ]
        plan = isp_engine.plan_billing(months, packages, company._isp_now(), tax=isp_engine.TaxPolicy(pkp=False))
        sums, counts = defaultdict(int), defaultdict(int)
        for invoice in plan.invoices:
            package = package_of[invoice.subscription]
            sums[package] += sum(part.amount for part in invoice.lines)
            counts[package] += 1
        names = {package.id: package.code for package in lines.package_id}
        rows = [(names[package], total, counts[package]) for package, total in sorted(sums.items(), key=lambda pair: -pair[1])]
        return self._picture(
            "mrr", _("Recurring revenue a month"), [(name, total, "success", _("%s lines", count)) for name, total, count in rows[:6]],
            figure=sum(row[1] for row in rows), money=True, note=_("at today's prices, without PPN"),
        )

    def _collection(self, months):
        bars = []
        for month in months:
            part = round(100 * month["collected"] / month["billed"]) if month["billed"] > 0 else 0
            bars.append((month["label"], part, "success" if part >= 90 else "warning", "%s%%" % part))
        return self._picture("collection", _("Collected of what was billed"), bars, note=_("percent, by month; over 100 when older debts came in"))

    def _ageing(self, company, today):
        """What is overdue, by how long."""
        sums = dict.fromkeys([label for _days, label in AGES], 0)
        counts = dict.fromkeys(sums, 0)
        groups = self.env["account.move"].sudo()._read_group([
            ("company_id", "=", company.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("amount_residual", ">=", OWED_FROM), ("invoice_date_due", "<", today),
            "|", "|", ("isp_subscription_id", "!=", False), ("isp_installation_fee_id", "!=", False), ("isp_late_fee_of_id", "!=", False),
        ], ["invoice_date_due:day"], ["amount_residual_signed:sum", "__count"])
        for due, amount, count in groups:
            late = (today - due).days
            label = next(label for days, label in AGES if days is None or late <= days)
            sums[label] += amount
            counts[label] += count
        tones = ("warning", "warning", "danger", "danger")
        return self._picture(
            "ageing", _("Arrears by days late"),
            [(label, sums[label], tone, _("%s invoices", counts[label])) for label, tone in zip(sums, tones, strict=True)],
            figure=sum(sums.values()), money=True,
        )

    def _churn(self, company, today):
        """Lines that ended, by month, and why."""
        first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
        lines = self.env["isp.subscription"].with_context(active_test=False)
        ended = [("company_id", "=", company.id), ("state", "=", "terminated"), ("end_date", ">=", first), ("end_date", "<=", today)]
        counts = dict(lines._read_group(ended, ["end_date:month"], ["__count"]))
        months = [first + relativedelta(months=at) for at in range(MONTHS)]
        reasons = {}
        for line in lines.search(ended):
            reason = line._isp_end_reason()
            reasons[reason] = reasons.get(reason, 0) + 1
        told = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
        return self._picture(
            "churn", _("Lines that ended"), [(month.strftime("%m/%Y"), counts.get(month, 0), "danger", "") for month in months],
            figure=sum(counts.values()), note=", ".join("%s: %s" % pair for pair in told) or None,
        )

    def _isolations(self, company, today):
        """Isolations of each of the last days."""
        first = today - relativedelta(days=DAYS - 1)
        groups = self.env["isp.isolation_event"]._read_group(
            [("company_id", "=", company.id), ("action", "=", "isolate"), ("decided_at", ">=", first)], ["decided_at:day"], ["__count"],
        )
        counts = {moment.date(): count for moment, count in groups}
        days = [first + relativedelta(days=at) for at in range(DAYS)]
        return self._picture(
            "isolations", _("Isolations a day"), [(day.strftime("%d/%m"), counts.get(day, 0), "danger", "") for day in days],
            figure=sum(counts.values()), note=_("the last %s days", DAYS),
        )

    def _routers(self, company):
        """Lines of each router; a router in trouble is red."""
        counts = dict(self.env["isp.subscription"]._read_group(
            [("company_id", "=", company.id), ("state", "=", "active")], ["router_id"], ["__count"]
        ))
        routers = self.env["isp.router"].search([("company_id", "=", company.id)], limit=12)
        states = dict(routers._fields["state"]._description_selection(self.env))
        bars = [
            (router.name, counts.get(router, 0), "danger" if router.state == "trouble" else "success", states[router.state])
            for router in routers
        ]
        return self._picture("routers", _("Lines by router"), bars) if bars else None

    @api.model
    def map_data(self):
        """Customers with coordinates as dots: where, who, and how the lines are."""
        user, company = self.env.user, self.env.company
        if not (user.has_group("isp_management.group_technician") or user.has_group("isp_management.group_cashier")):
            raise AccessError(_("The map is for the provider's staff."))
        customers = self.env["isp.customer"].search([("company_id", "=", company.id), ("state", "!=", "terminated")])
        placed = customers.filtered(lambda c: c.partner_latitude or c.partner_longitude)
        sites = {}
        for line in self.env["isp.subscription"].search([("customer_id", "in", placed.ids), ("site", "!=", False)]):
            sites.setdefault(line.customer_id.id, line.site)
        dots = [
            {
                "id": customer.id, "name": customer.display_name, "x": customer.partner_longitude, "y": customer.partner_latitude,
                "tone": "danger" if customer.isolated_count else "warning" if customer.is_overdue else "success",
                "site": sites.get(customer.id) or _("No site"),
            }
            for customer in placed
        ]
        return {"dots": dots, "without": len(customers) - len(placed), "sites": sorted({dot["site"] for dot in dots})}


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def _isp_end_reason(self):
        """Why the line ended, as somebody wrote it down."""
        self.ensure_one()
        return dict(self._fields["end_reason"]._description_selection(self.env)).get(self.end_reason) or _("no reason given")
