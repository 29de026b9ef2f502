from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.exceptions import AccessError

MONTHS = 6


class IspDashboard(models.AbstractModel):
    """What the first screen shows: counters that open the lists behind them, of the user's current company."""

    _name = "isp.dashboard"
    _description = "Dashboard"

    @api.model
    def data(self):
        """Cards and months as the client action shows them; amounts only for those who handle money."""
        user, company = self.env.user, self.env.company
        if not (user.has_group("isp_management.group_technician") or user.has_group("isp_management.group_cashier")):
            raise AccessError(_("The dashboard is for the provider's staff."))
        money = user.has_group("isp_management.group_cashier")
        today = company._isp_today()
        cards = self._service_cards(company)
        if money:
            cards += self._money_cards(company, today)
        cards += self._network_cards(company)
        return {
            "company": company.name,
            "today": fields.Date.to_string(today),
            "currency_id": company.currency_id.id,
            "cards": cards,
            "months": self._months(company, today) if money else [],
        }

    def _service_cards(self, company):
        running = [("company_id", "=", company.id), ("state", "=", "active")]
        isolated = [*running, ("desired_access", "=", "isolated")]
        subscriptions = self.env["isp.subscription"]
        confirmed = subscriptions.search_count([*isolated, ("observed_access", "=", "isolated")])
        return [
            self._card(
                "active", _("Active"), subscriptions.search_count(running), "success", "fa-wifi",
                _("subscriptions in service"), "isp.subscription", running,
            ),
            self._card(
                "isolated", _("Isolated"), subscriptions.search_count(isolated), "danger", "fa-ban",
                _("%s confirmed by the router", confirmed), "isp.subscription", isolated,
            ),
        ]

    def _money_cards(self, company, today):
        moves = self.env["account.move"]
        open_ones = [
            ("company_id", "=", company.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("payment_state", "in", ("not_paid", "partial")),
            "|", ("isp_subscription_id", "!=", False), ("isp_installation_fee_id", "!=", False),
        ]
        week = [*open_ones, ("invoice_date_due", ">=", today), ("invoice_date_due", "<=", today + relativedelta(days=6))]
        late = [*open_ones, ("invoice_date_due", "<", today)]
        cards = []
        for key, label, tone, icon, domain in (
            ("due", _("Due this week"), "warning", "fa-calendar", week),
            ("overdue", _("Overdue"), "danger", "fa-exclamation-triangle", late),
        ):
            [(count, amount)] = moves._read_group(domain, [], ["__count", "amount_residual_signed:sum"])
            cards.append(self._card(key, label, count, tone, icon, _("invoices"), "account.move", domain, amount or 0))
        first = today.replace(day=1)
        received = [
            ("company_id", "=", company.id), ("partner_type", "=", "customer"), ("payment_type", "=", "inbound"),
            ("state", "=", "posted"), ("date", ">=", first), ("date", "<=", today),
            ("journal_id", "!=", company.sudo().isp_pph23_journal_id.id),
        ]
        amount = self._sums(company, first, today).get(first, (0, 0))[1]
        cards.append(self._card(
            "collected", _("Collected this month"), self.env["account.payment"].search_count(received), "success",
            "fa-money", _("payments"), "account.payment", received, amount,
        ))
        return cards

    def _network_cards(self, company):
        own = [("company_id", "=", company.id)]
        trouble = [*own, "|", ("state", "=", "trouble"), ("breaker_tripped", "=", True)]
        differs = [*own, ("state", "in", ("active", "paused")), ("access_agrees", "=", False)]
        unbilled = [*own, ("billing_error_code", "!=", False)]
        routers, subscriptions = self.env["isp.router"], self.env["isp.subscription"]
        count = routers.search_count(trouble)
        cards = [self._card(
            "trouble", _("Routers in trouble"), count, "danger" if count else "success", "fa-server",
            _("of %s routers", routers.search_count(own)), "isp.router", trouble,
        )]
        for key, label, icon, text, domain in (
            ("differs", _("Router differs"), "fa-refresh", _("wanted and observed access differ"), differs),
            ("unbilled", _("Not billed"), "fa-file-text-o", _("subscriptions with a problem"), unbilled),
        ):
            count = subscriptions.search_count(domain)
            cards.append(self._card(
                key, label, count, "warning" if count else "success", icon, text, "isp.subscription", domain
            ))
        return cards

    def _months(self, company, today):
        first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
        sums = self._sums(company, first, today)
        months = [first + relativedelta(months=at) for at in range(MONTHS)]
        highest = max((value for pair in sums.values() for value in pair), default=0) or 1
        return [
            {
                "label": month.strftime("%m/%Y"),
                "billed": sums.get(month, (0, 0))[0],
                "collected": sums.get(month, (0, 0))[1],
                "billed_percent": round(100 * max(sums.get(month, (0, 0))[0], 0) / highest),
                "collected_percent": round(100 * max(sums.get(month, (0, 0))[1], 0) / highest),
            }
            for month in months
        ]

    def _sums(self, company, first, last):
        """Billed and collected by month; the cashier sees the sums though not the report."""
        groups = self.env["isp.report.finance"].sudo()._read_group(
            [("company_id", "=", company.id), ("date", ">=", first), ("date", "<=", last)],
            ["date:month"], ["billed_total:sum", "collected:sum"],
        )
        return {month: (billed or 0, collected or 0) for month, billed, collected in groups}

    def _card(self, key, label, count, tone, icon, text, model, domain, amount=None):
        views = [[False, "list"], [False, "form"]]
        if model == "account.move":
            views[0][0] = self.env.ref("account.view_out_invoice_tree").id
        return {
            "key": key, "label": label, "count": count, "tone": tone, "icon": icon, "text": text, "amount": amount,
            "action": {
                "type": "ir.actions.act_window", "name": label, "res_model": model, "views": views, "domain": [
                    [leaf[0], leaf[1], fields.Date.to_string(leaf[2]) if hasattr(leaf[2], "isoformat") else leaf[2]]
                    if isinstance(leaf, tuple) else leaf for leaf in domain
                ],
                "context": {"create": False},
            },
        }
