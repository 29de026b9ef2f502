"""Days that an earlier version did not bill stay unbilled, and days of a pause are not billed.

A line that was resumed in mid-period was billed from its next billing day on (prepaid), or for the whole period, the paused days
with it (postpaid). Its days up to then, or up to the resumption, are settled: `charged_until` says so to the engine, whatever is
changed about the line afterwards.
"""

import logging

import isp_engine

from odoo import SUPERUSER_ID, api

from odoo.addons.isp_management.logic import terms_rows
from odoo.addons.isp_management.logic.access_rows import aware

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("""
        SELECT m.res_id, max(m.date)
        FROM mail_tracking_value v
        JOIN mail_message m ON m.id = v.mail_message_id
        JOIN ir_model_fields f ON f.id = v.field_id
        JOIN isp_subscription s ON s.id = m.res_id
        WHERE m.model = 'isp.subscription' AND f.name = 'paused_from' AND v.old_value_datetime IS NOT NULL
          AND v.new_value_datetime IS NULL AND s.state = 'active' AND s.charged_until IS NULL
        GROUP BY m.res_id
    """)
    settled = 0
    for key, moment in cr.fetchall():
        line = env["isp.subscription"].browse(key)
        resumed = terms_rows.today(aware(moment), line.zone)
        cr.execute("""
            SELECT 1 FROM account_move
            WHERE isp_subscription_id = %s AND state = 'posted' AND move_type = 'out_invoice'
              AND isp_period_start <= %s AND isp_period_end > %s
        """, [key, resumed, resumed])
        until = None if cr.fetchone() else settled_until(env, line, resumed)
        if until:
            cr.execute("UPDATE isp_subscription SET charged_until = %s WHERE id = %s", [until, key])
            settled += 1
    env.invalidate_all()
    _logger.info("%s lines were resumed in mid-period: what was not billed of it stays so", settled)


def settled_until(env, line, resumed):
    """The first day after a resumption that is billed."""
    if line.timing == "postpaid":
        return resumed
    packages, refused = env["isp.billing_run"]._catalog(
        {package.id for package in line.package_id | line.next_package_id | line.old_package_id}
    )
    if refused:
        return None
    terms = terms_rows.subscription(line)._replace(billed_from=resumed)
    now = line.company_id._isp_now()
    [begins] = isp_engine.decide_terms([isp_engine.TermsFacts(terms)], packages, now, tax=isp_engine.TaxPolicy(pkp=False))
    return begins.next.invoice.period_start if isinstance(begins, isp_engine.TermsChange) and begins.next else None
