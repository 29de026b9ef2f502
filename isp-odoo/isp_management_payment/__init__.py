from odoo.addons.payment import reset_payment_provider, setup_provider

from . import controllers, models
from .const import KINDS


def post_init_hook(env):
    for code in KINDS:
        setup_provider(env, code)


def uninstall_hook(env):
    for code in KINDS:
        reset_payment_provider(env, code)
