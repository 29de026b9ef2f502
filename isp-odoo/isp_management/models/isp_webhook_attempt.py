"""Requests to the webhook that were not believed: counted in the database, so that every worker knows who was wrong too often."""

from odoo import api, fields, models

# From an address, within so many seconds, more than so many are not looked at.
MOST, SECONDS = 20, 60


class IspWebhookAttempt(models.Model):
    _name = "isp.webhook_attempt"
    _description = "Webhook request that was not believed"
    _log_access = False
    _order = "id desc"

    address = fields.Char(required=True)
    at = fields.Datetime("Moment", required=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            "CREATE INDEX IF NOT EXISTS isp_webhook_attempt_address_at ON isp_webhook_attempt (address, at)"
        )
        return result

    @api.model
    def _isp_blocks(self, address):
        """Whether this address has been wrong too often. Looks at so many rows of an index at most, in a flood too."""
        self.env.cr.execute(
            """
            SELECT count(*) >= %s FROM (
                SELECT 1 FROM isp_webhook_attempt
                WHERE address = %s AND at > (now() AT TIME ZONE 'UTC') - %s * interval '1 second'
                LIMIT %s
            ) AS recent
            """,
            [MOST, address, SECONDS, MOST],
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _isp_wrong(self, address):
        """Remember a request that was not believed. Rows are only added: two workers at once never wait for each other, and
        who is blocked adds none."""
        self.env.cr.execute(
            "INSERT INTO isp_webhook_attempt (address, at) VALUES (%s, now() AT TIME ZONE 'UTC')", [address]
        )

    @api.autovacuum
    def _gc_attempts(self):
        self.env.cr.execute(
            "DELETE FROM isp_webhook_attempt WHERE at < (now() AT TIME ZONE 'UTC') - %s * interval '1 second'", [SECONDS]
        )
