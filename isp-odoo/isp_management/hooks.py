"""What installing the addon does once."""

import logging

from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


def post_init_hook(env):
    """Refuse to be installed with a key file that cannot be used, and make rupiah whole."""
    trouble = env["isp.sealed.mixin"]._isp_key_trouble()
    if trouble:
        raise UserError(trouble)
    _round_rupiah(env)


def _round_rupiah(env):
    """Round rupiah to whole rupiah, as the engine does, while no journal item exists that says otherwise."""
    rupiah = env.ref("base.IDR")
    if rupiah.rounding >= 1:
        return
    if env["account.move.line"].sudo().search_count([("currency_id", "=", rupiah.id)], limit=1):
        _logger.warning("journal items in IDR exist: its rounding stays %s, set it to 1 when the books allow", rupiah.rounding)
        return
    rupiah.rounding = 1
